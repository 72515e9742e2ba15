import { createServer } from 'node:http';
import type { Registry } from 'prom-client';

/** A page that Prometheus scrapes. */
export interface MetricsServer {
  close(): Promise<void>;
}

/** Where the page is, and what it shows. */
export interface MetricsPage {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  /** Temporal's own exporter, whose lines are added. Default: none. */
  readonly metricsUrl?: string;
}

/** Serves `/metrics` (and nothing else): our own and Temporal's measurements on one page. Answers 503 before `ready`. */
export async function serveMetrics(page: MetricsPage, ready: () => boolean): Promise<MetricsServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    const isPage = request.method === 'GET' && request.url === '/metrics';
    if (!isPage || !ready()) {
      response.writeHead(isPage ? 503 : 404).end();
      return;
    }
    void render(page).then(
      (text) => response.writeHead(200, { 'content-type': page.registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = 50;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(page.port, page.host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function render({ registry, metricsUrl }: MetricsPage): Promise<string> {
  const [own, temporal] = await Promise.all([
    registry.metrics(),
    metricsUrl === undefined ? '' : fetchText(metricsUrl),
  ]);
  return `${own}\n${temporal}`;
}

/** Temporal's lines are left out where its exporter does not answer. */
async function fetchText(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(3000) });
    return answer.ok ? await answer.text() : '';
  } catch {
    return '';
  }
}
