import { Failure, isFailureCode } from '../../domain/failure.ts';
import { failureCatalogue } from '../../domain/failure-catalogue.ts';
import type { SiteName } from '../../domain/names/kubernetes-name.ts';
import type { ReadArchive } from './archive-origin.ts';

/** Milliseconds for a call that moves little. */
const callMs = 60_000;

interface ApiRequest {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer<ArrayBuffer>;
}

/** The hub's API as carriers see it. */
export class HubApi {
  readonly #base: string;
  readonly #token: string;
  readonly #silenceMs: number;

  /**
   * `base` is the API's address, such as `https://images.example`; `silenceMs`: without a byte for so long, a download counts
   * as broken off. Throws `InvalidRequest` for no address.
   */
  constructor(base: string, token: string, silenceMs = 60_000) {
    if (!URL.canParse(base)) {
      throw new Failure('InvalidRequest', { side: 'caller', detail: 'the address of the API is no URL' });
    }
    this.#base = base;
    this.#token = token.trim();
    this.#silenceMs = silenceMs;
  }

  /** Brings a site's letter; resolves with the API's words. */
  async post(
    site: SiteName,
    what: 'receipts' | 'inventory',
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    const answer = await this.#ask(
      `sites/${site}/${what}`,
      AbortSignal.any([signal, AbortSignal.timeout(callMs)]),
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(bytes),
      },
    );
    const { message } = (await answer.json().catch(() => ({}))) as { readonly message?: unknown };
    return typeof message === 'string' ? message : `HTTP ${answer.status}`;
  }

  /** A bundle's archive. The archive has to stay the same from the first part to the last, else `Equivocation`. */
  archive(site: SiteName, sequence: number, signal: AbortSignal): ReadArchive {
    const path = `sites/${site}/bundles/${sequence}/archive`;
    let first: string | undefined;
    return (from, to) =>
      this.#part(path, from, to, signal, (etag) => {
        first ??= etag;
        if (etag !== first) throw new Failure('Equivocation', { subject: `${site}/${sequence}` });
      });
  }

  async *#part(
    path: string,
    from: number,
    to: number,
    signal: AbortSignal,
    seen: (etag: string) => void,
  ): AsyncIterable<Uint8Array> {
    const silence = new AbortController();
    const listen = () => setTimeout(() => silence.abort(new Error('silence')), this.#silenceMs);
    let timer = listen();
    try {
      const both = AbortSignal.any([signal, silence.signal]);
      const answer = await this.#ask(path, both, { headers: { range: `bytes=${from}-${to - 1}` } });
      seen(answer.headers.get('etag') ?? '');
      const begins = answer.headers.get('content-range')?.startsWith(`bytes ${from}-`) === true;
      if (answer.status !== 206 || !begins || answer.body === null) {
        throw new Failure('RangeRefused', { side: 'storage', subject: path });
      }
      for await (const chunk of answer.body) {
        // While it is written the hub may well be silent: a disk may take its time.
        clearTimeout(timer);
        yield chunk;
        timer = listen();
      }
    } catch (error) {
      throw this.#failure(error, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(path: string, signal: AbortSignal, init: ApiRequest): Promise<Response> {
    const url = new URL(`/oapis/image.theriseunion.io/v1alpha1/${path}`, this.#base);
    const headers = { ...init.headers, authorization: `Bearer ${this.#token}` };
    const answer = await fetch(url, { ...init, headers, signal, redirect: 'error' }).catch(
      (error: unknown) => {
        throw this.#failure(error, signal);
      },
    );
    if (answer.ok) return answer;
    const { reason, message } = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    // Kubernetes' word for a bad token is our word for a registry's bad password.
    const known = answer.status !== 401 && typeof reason === 'string' && isFailureCode(reason);
    const code = known ? reason : byStatus(answer.status);
    const said = typeof message === 'string' ? message.slice(0, 500) : `HTTP ${answer.status}`;
    // What the code says already is not said twice.
    const detail = said === failureCatalogue[code].en ? `HTTP ${answer.status}` : said;
    throw new Failure(code, { side: 'cluster', detail });
  }

  #failure(error: unknown, signal: AbortSignal): Failure {
    if (error instanceof Failure) return error;
    if (signal.aborted && signal.reason instanceof Error && signal.reason.name === 'AbortError') {
      return new Failure('Cancelled', { cause: error });
    }
    return new Failure('NetworkError', { side: 'cluster', subject: new URL(this.#base).host, cause: error });
  }
}

function byStatus(
  status: number,
): 'Unauthenticated' | 'AccessDenied' | 'NotFound' | 'StorageUnavailable' | 'InvalidRequest' {
  if (status >= 500 || status === 429) return 'StorageUnavailable';
  return (
    ({ 401: 'Unauthenticated', 403: 'AccessDenied', 404: 'NotFound' } as const)[status] ?? 'InvalidRequest'
  );
}
