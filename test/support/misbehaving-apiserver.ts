import type { KubeConfig } from '@kubernetes/client-node';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenAsCluster } from './loopback-cluster.ts';

/** What a watch request is answered with: lines to send, then whether the server ends it, cuts it or falls silent. */
export interface WatchAnswer {
  readonly status?: number;
  readonly lines?: readonly string[];
  readonly ending?: 'end' | 'cut' | 'silence';
}

/** An API server for one kind that lists what it is told and whose watches go wrong on purpose. */
export class MisbehavingApiServer {
  names: readonly string[] = [];
  /** Answers to the watches, in turn; after the last one watches stay silent. */
  readonly watches: WatchAnswer[] = [];
  /** When lists were asked for, in milliseconds. */
  readonly lists: number[] = [];
  /** The version that each watch wanted to go on from. */
  readonly watchedFrom: string[] = [];
  readonly #server = createServer((request, response) => this.#answer(request, response));

  start(): Promise<KubeConfig> {
    return listenAsCluster(this.#server);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '/', 'http://x').searchParams;
    if (query.get('watch') !== 'true') {
      this.lists.push(performance.now());
      const items = this.names.map((name) => siteObject(name, '10'));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ kind: 'EdgeSiteList', metadata: { resourceVersion: '10' }, items }));
      return;
    }
    this.watchedFrom.push(query.get('resourceVersion') ?? '');
    const { status = 200, lines = [], ending = 'silence' } = this.watches.shift() ?? {};
    response.writeHead(status, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const line of lines) response.write(`${line}\n`);
    if (status !== 200 || ending === 'end') response.end();
    if (ending === 'cut') setTimeout(() => response.destroy(), 20);
  }
}

/** An EdgeSite as the API server sends it. */
export const siteObject = (name: string, resourceVersion: string): object => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'EdgeSite',
  metadata: { name, uid: name, resourceVersion },
  spec: { registry: { domain: 'edge.example' } },
});

/** One line of a watch. */
export const watchLine = (type: string, object: object): string => JSON.stringify({ type, object });
