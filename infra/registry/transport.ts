import type { DialRule } from '../../domain/registry/addresses.ts';
import { proxyFor, type Proxy, type ProxySettings } from '../../domain/registry/proxy.ts';
import type { WebAddress } from '../../domain/registry/origin.ts';
import type { ByteSink } from '../copy/content.ts';
import type { DialTarget } from './dial.ts';
import { CallPool } from './call-pool.ts';
import type { Exchange } from './exchange.ts';
import type { HttpAnswer } from './http-answer.ts';

/** How one registry's connections are made. */
export interface TransportOptions {
  /** PEM certificates trusted besides the system's. Default: none. */
  readonly caBundle?: string;
  /** Which addresses may be dialled for an origin. */
  readonly ruleFor: (origin: string) => DialRule;
  /** Default: every host is called directly. */
  readonly proxies?: ProxySettings;
  /** Milliseconds until an answer's headers must have come. Default: 30 000. */
  readonly headersTimeoutMs?: number;
  /** Milliseconds without a byte after which a body is given up. Default: 30 000. */
  readonly idleTimeoutMs?: number;
}

/** How requests to one origin go. */
interface Route {
  readonly pool: CallPool;
  readonly via?: Proxy;
}

/** The connections to one registry and to the hosts it points to. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #routes = new Map<string, Route>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  get headersTimeoutMs(): number {
    return this.#options.headersTimeoutMs ?? 30_000;
  }

  get idleTimeoutMs(): number {
    return this.#options.idleTimeoutMs ?? 30_000;
  }

  /** What to dial for an URL. */
  target(url: WebAddress): DialTarget {
    const tls = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
    const proxy = proxyFor(this.#options.proxies, { host, port, tls });
    return {
      host,
      port,
      tls,
      ...(proxy === undefined ? {} : { proxy }),
      rule: this.#options.ruleFor(url.origin),
      ...(this.#options.caBundle === undefined ? {} : { caBundle: this.#options.caBundle }),
    };
  }

  /** The proxy that plain requests to an URL are handed to; those over TLS go through a tunnel and do not see it. */
  via(url: WebAddress): { readonly via?: Proxy } {
    const { via } = this.#route(url);
    return via === undefined ? {} : { via };
  }

  /** Sends a request and reads the whole answer. Rejects with the network's error, unmapped. */
  exchange(exchange: Exchange): Promise<HttpAnswer> {
    const { pool, via } = this.#route(exchange.url);
    return pool.exchange(via === undefined ? exchange : { ...exchange, via });
  }

  /** Sends a request and hands the body of its answer on, which must be 200 or 206. Rejects with the network's error. */
  stream(exchange: Exchange, sink: ByteSink): Promise<HttpAnswer> {
    const { pool, via } = this.#route(exchange.url);
    return pool.stream(via === undefined ? exchange : { ...exchange, via }, sink);
  }

  /** Opens a request whose body is written piece by piece. */
  open(exchange: Exchange): ReturnType<CallPool['open']> {
    const { pool, via } = this.#route(exchange.url);
    return pool.open(via === undefined ? exchange : { ...exchange, via });
  }

  close(): void {
    for (const { pool } of this.#routes.values()) pool.close();
  }

  #route(url: WebAddress): Route {
    const known = this.#routes.get(url.origin);
    if (known !== undefined) return known;
    const { headersTimeoutMs, idleTimeoutMs } = this;
    const target = this.target(url);
    const { tls, proxy } = target;
    const pool = new CallPool(target, { headersTimeoutMs, idleTimeoutMs });
    const route = { pool, ...(tls || proxy === undefined ? {} : { via: proxy }) };
    this.#routes.set(url.origin, route);
    return route;
  }
}
