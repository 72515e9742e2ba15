import type { DialRule } from '../../domain/registry/addresses.ts';
import { proxyFor, type Proxy, type ProxySettings } from '../../domain/registry/proxy.ts';
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

/** The connections to one registry and to the hosts it points to. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #pools = new Map<string, CallPool>();

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
  target(url: URL): DialTarget {
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
  via(url: URL): { readonly via?: Proxy } {
    const { tls, proxy } = this.target(url);
    return tls || proxy === undefined ? {} : { via: proxy };
  }

  /** Sends a request and reads the whole answer. Rejects with the network's error, unmapped. */
  exchange(exchange: Exchange): Promise<HttpAnswer> {
    return this.#pool(exchange.url).exchange({ ...exchange, ...this.via(exchange.url) });
  }

  /** Sends a request and hands the body of its answer on, which must be 200 or 206. Rejects with the network's error. */
  stream(exchange: Exchange, sink: ByteSink): Promise<HttpAnswer> {
    return this.#pool(exchange.url).stream({ ...exchange, ...this.via(exchange.url) }, sink);
  }

  /** Opens a request whose body is written piece by piece. */
  open(exchange: Exchange): ReturnType<CallPool['open']> {
    return this.#pool(exchange.url).open({ ...exchange, ...this.via(exchange.url) });
  }

  close(): void {
    for (const pool of this.#pools.values()) pool.close();
  }

  #pool(url: URL): CallPool {
    const known = this.#pools.get(url.origin);
    if (known !== undefined) return known;
    const { headersTimeoutMs, idleTimeoutMs } = this;
    const pool = new CallPool(this.target(url), { headersTimeoutMs, idleTimeoutMs });
    this.#pools.set(url.origin, pool);
    return pool;
  }
}
