import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { judgeResume } from '../../domain/registry/content-range.ts';
import { redirectGate, type WebAddress } from '../../domain/registry/origin.ts';
import type { ByteSink } from '../copy/content.ts';
import { answerFailure, type RequestSubject } from './answer-failure.ts';
import type { Scope } from './authenticator.ts';
import { HttpAnswer } from './http-answer.ts';
import type { ReadPace } from './read-pace.ts';
import type { OpenRead, ReadPool } from './read-pool.ts';
import type { RegistrySession } from './session.ts';

/** Which bytes of which blob are wanted, and for whom. */
export interface BlobRead {
  readonly url: WebAddress;
  readonly blob: Descriptor;
  readonly scope: Scope;
  readonly about: RequestSubject;
  readonly from: number;
  readonly signal?: AbortSignal;
}

/** Streams blobs of one registry: signs, follows redirects through the gate, accepts only the exact range. */
export class BlobReader {
  readonly #session: RegistrySession;
  readonly #pool: ReadPool;

  constructor(session: RegistrySession, pool: ReadPool) {
    this.#session = session;
    this.#pool = pool;
  }

  /** One try. Throws what broke it; how far it came, the sink knows. */
  async read(read: BlobRead, sink: ByteSink): Promise<void> {
    try {
      const bytes = read.blob.size - read.from;
      await this.#session.budget.reads.run(bytes, () => this.#attempt(read, sink), read.signal);
    } catch (error) {
      throw this.#session.blame(error, read.about);
    }
  }

  async #attempt(read: BlobRead, sink: ByteSink): Promise<void> {
    const { open, url } = await this.#open(read);
    const taken = this.#judge(read, open);
    const abort = (): void =>
      open.connection.destroy(new Failure('Cancelled', { cause: read.signal?.reason }));
    read.signal?.addEventListener('abort', abort, { once: true });
    try {
      if (open.length === undefined) {
        open.connection.destroy(new Failure('Cancelled'));
        await this.#readUnmeasured(read, url, skipping(taken.skip, sink));
        return;
      }
      await open.connection.body(open.length, skipping(taken.skip, sink));
      this.#pool.release(url, open);
    } finally {
      read.signal?.removeEventListener('abort', abort);
    }
  }

  /** Follows redirects and challenges until there is an answer to judge. */
  async #open(read: BlobRead): Promise<{ readonly open: OpenRead; readonly url: WebAddress }> {
    let url = read.url;
    let withCredential = true;
    let refusals = 0;
    for (let hop = 1; ;) {
      const headers = await this.#headers(read, url, withCredential);
      const open = await this.#pool.get(url, headers, read.signal);
      const { status } = open.answer;
      if (status === 200 || status === 206 || status === 416) return { open, url };
      const answer = withBody(open.answer, await this.#pool.drain(url, open));
      if (status === 301 || status === 302 || status === 303 || status === 307 || status === 308) {
        const verdict = redirectGate(url, answer.header('location'), hop, this.#session.origins);
        if (!verdict.allowed) throw new Failure(verdict.code, { ...read.about, detail: verdict.reason });
        hop += 1;
        ({ url, withCredential } = verdict);
        continue;
      }
      const later = this.#session.judge(answer, read.about);
      if (later !== undefined) throw later;
      if (status !== 401) throw answerFailure(answer, read.about);
      refusals += 1;
      await this.#session.challenged(answer, url, read.scope, headers['authorization'], refusals);
    }
  }

  async #headers(read: BlobRead, url: WebAddress, withCredential: boolean): Promise<Record<string, string>> {
    const own = withCredential ? await this.#session.authorize(url, read.scope, read.signal) : {};
    return {
      'user-agent': 'imageferry',
      accept: '*/*',
      'accept-encoding': 'identity',
      ...(read.from > 0 ? { range: `bytes=${read.from}-` } : {}),
      ...own,
    };
  }

  /** How many bytes of the body are known already. Throws where the body is not what was asked for. */
  #judge(read: BlobRead, open: OpenRead): { readonly skip: number } {
    const { answer, length } = open;
    const refuse = (failure: Failure): never => {
      open.connection.destroy(failure);
      throw failure;
    };
    this.#session.budget.served();
    if (answer.header('content-encoding') !== undefined && answer.header('content-encoding') !== 'identity') {
      refuse(new Failure('UnexpectedResponse', { ...read.about, detail: 'the blob came encoded' }));
    }
    const contentType = answer.header('content-type');
    const verdict = judgeResume(
      {
        status: answer.status,
        contentRange: answer.all('content-range'),
        ...(contentType === undefined ? {} : { contentType }),
        ...(length === undefined ? {} : { contentLength: length }),
      },
      read.from,
      read.blob.size,
    );
    if (verdict.verdict === 'restart') {
      return refuse(new Failure('RangeRefused', { ...read.about, detail: verdict.reason }));
    }
    const skip = verdict.verdict === 'from-zero' ? read.from : 0;
    const expected = read.blob.size - read.from + skip;
    if (length !== undefined && length !== expected) {
      refuse(
        new Failure('SizeMismatch', {
          ...read.about,
          detail: `${length} bytes announced, ${expected} expected`,
        }),
      );
    }
    return { skip };
  }

  /** A body without length (chunked, or until the connection closes) is asked for again in a way that can read it. */
  async #readUnmeasured(read: BlobRead, url: WebAddress, sink: ByteSink): Promise<void> {
    const headers = await this.#headers(read, url, url.origin === read.url.origin);
    const tooSlow = new AbortController();
    const signals = read.signal === undefined ? [] : [read.signal];
    const signal = AbortSignal.any([...signals, tooSlow.signal]);
    const pace = this.#pool.pace((failure) => tooSlow.abort(failure));
    try {
      await this.#session.transport.stream(
        { method: 'GET', url, headers, expect: [200, 206], signal },
        pacing(pace, sink),
      );
    } catch (error) {
      throw tooSlow.signal.aborted ? tooSlow.signal.reason : error;
    } finally {
      pace.stop();
    }
  }
}

function withBody(answer: HttpAnswer, body: Uint8Array): HttpAnswer {
  return new HttpAnswer(answer.status, answer.headers, body);
}

/** Watches how fast a body comes while it is welcome. */
function pacing(pace: ReadPace, sink: ByteSink): ByteSink {
  return (chunk) => {
    pace.saw(chunk.byteLength);
    const pending = sink(chunk);
    if (pending !== undefined) {
      pace.rest();
      return pending.then(() => pace.waitForBody());
    }
    pace.waitForBody();
    return undefined;
  };
}

/** Leaves the first `skip` bytes out. */
function skipping(skip: number, sink: ByteSink): ByteSink {
  if (skip === 0) return sink;
  let left = skip;
  return (chunk) => {
    const drop = Math.min(left, chunk.byteLength);
    left -= drop;
    return drop === chunk.byteLength ? undefined : sink(chunk.subarray(drop));
  };
}
