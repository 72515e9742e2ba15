import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Exchange, type Answer } from './exchange.ts';
import type { Trace } from './trace.ts';

/** What a script applies to. */
export interface Match {
  /** Several with a bar: `GET|HEAD`. Default: every method. */
  readonly method?: string;
  /** Default: every path. Matched against path and query. */
  readonly path?: RegExp | string;
  /** How often it applies before it is used up. Default: for ever. */
  readonly times?: number;
  /** How many matching requests pass first. Default: 0. */
  readonly after?: number;
}

/** What happens instead of the honest answer. */
export type Misbehaviour = (exchange: Exchange) => Promise<void> | void;

interface Script {
  readonly match: Match;
  readonly act: Misbehaviour;
  seen: number;
}

/** An HTTP server that behaves until a script says otherwise. Listens on a free loopback port. */
export abstract class Double {
  readonly trace: Trace;
  readonly #scripts: Script[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #answering = 0;

  readonly #scheme: 'http' | 'https';

  /** `tls`: key and certificate of an https server. Default: plain http. */
  constructor(trace: Trace, tls?: ServerOptions) {
    this.trace = trace;
    this.#scheme = tls === undefined ? 'http' : 'https';
    const handle = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#handle(request, response);
    this.#server =
      tls === undefined
        ? createServer({ keepAliveTimeout: 30_000 }, handle)
        : createTlsServer({ ...tls, keepAliveTimeout: 30_000 }, handle);
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  protected abstract respond(exchange: Exchange): Promise<Answer>;

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    this.#server.unref();
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `127.0.0.1:<port>`, as a RegistrySecret's domain. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  get origin(): string {
    return `${this.#scheme}://${this.host}`;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Resolves when nothing is being answered any more, what a client left behind when it died included. */
  async quiet(): Promise<void> {
    do await sleep(100);
    while (this.#answering > 0);
  }

  /** Misbehave on order. Scripts are tried in the order given; the first that applies acts. */
  script(match: Match, act: Misbehaviour): this {
    this.#scripts.push({ match, act, seen: 0 });
    return this;
  }

  /** Behave again. */
  clearScripts(): void {
    this.#scripts.length = 0;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization, cookie, range, accept } = request.headers;
    const headerNames = Object.keys(request.headers);
    const [method, path] = [request.method ?? 'GET', request.url ?? '/'];
    const common = { origin: this.origin, method, path, headerNames };
    const entry = this.trace.add({ ...common, authorization, cookie, range, accept });
    const exchange = new Exchange(request, response, entry, (asked) => this.respond(asked));
    this.#answering += 1;
    try {
      const script = this.#scripts.find((candidate) => applies(candidate, exchange));
      if (script === undefined) await exchange.send(await exchange.honestAnswer());
      else await script.act(exchange);
    } catch {
      response.destroy();
    } finally {
      this.#answering -= 1;
    }
  }
}

function applies(script: Script, exchange: Exchange): boolean {
  const { method, path, after = 0, times = Number.POSITIVE_INFINITY } = script.match;
  if (method !== undefined && !method.split('|').includes(exchange.method)) return false;
  const asked = exchange.request.url ?? '/';
  if (path !== undefined && !(typeof path === 'string' ? asked.includes(path) : path.test(asked)))
    return false;
  script.seen += 1;
  return script.seen > after && script.seen <= after + times;
}
