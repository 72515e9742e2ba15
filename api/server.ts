import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { ApiApp } from './app.ts';

/** What a caller may take of the server. Node's own defaults are too lax for slow or greedy ones (fault P11). */
const limits = {
  /** Milliseconds until all headers, and the whole request, must be here. */
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  /** How often the two above are checked, in milliseconds. */
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 32_768,
} as const;
const maximumConnections = 5_000;
/** Milliseconds without a byte in either direction; event streams send a sign of life every ten seconds. */
const idleTimeout = 40_000;
const maximumRequestsPerSocket = 10_000;

/** A server that listens. */
export interface ListeningServer {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no new connection, lets running calls end for `graceMs` (default 5000), then closes. */
  close(graceMs?: number): Promise<void>;
}

/** Serves the app on a port; 0 takes a free one. */
export async function serveApi(app: ApiApp, host: string, port: number): Promise<ListeningServer> {
  // Puts Request and Response of its own in the place of the global ones: they write an answer without a stream between.
  const listener = getRequestListener(app.fetch);
  const server = createServer(limits, (request, response) => {
    if (isOriginForm(request)) void listener(request, response);
    else refuse(response);
  });
  server.maxConnections = maximumConnections;
  server.maxRequestsPerSocket = maximumRequestsPerSocket;
  server.setTimeout(idleTimeout);
  await listen(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: (grace) => close(server, grace),
  };
}

/** Only `/path`: an absolute target names a host that we may not be (fault P12). */
function isOriginForm(request: IncomingMessage): boolean {
  return request.url?.startsWith('/') === true && !request.url.startsWith('//');
}

function refuse(response: ServerResponse): void {
  response.writeHead(400, { 'content-type': 'text/plain', connection: 'close' });
  response.end('The request target must be a path\n');
}

function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, () => {
    server.off('error', reject);
    resolve();
  });
  return promise;
}

function close(server: Server, graceMs = 5_000): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), graceMs).unref();
  return promise;
}
