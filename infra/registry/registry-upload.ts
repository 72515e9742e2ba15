import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { locationGate, type WebAddress } from '../../domain/registry/origin.ts';
import type { BlobUpload, UploadMemory } from '../copy/content.ts';
import { withSearch } from './address.ts';
import { answerFailure, registryErrorCodes, type RequestSubject } from './answer-failure.ts';
import type { Scope } from './authenticator.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { RegistrySession } from './session.ts';
import { StreamedRequest } from './streamed-request.ts';
import type { UploadStrategies, UploadStrategy } from './upload-strategies.ts';

/** What an upload needs from its repository. */
export interface UploadContext {
  readonly session: RegistrySession;
  readonly strategies: UploadStrategies;
  readonly scope: Scope;
  readonly about: RequestSubject;
  readonly blob: Descriptor;
  readonly signal?: AbortSignal;
  readonly memory?: UploadMemory;
  readonly memoryKey: string;
}

/** Blobs up to this size are held in memory and sent as one short call. */
const smallBytes = 128 * 1024;

/** Bytes a second that a registry takes in at the least, once it has them: it hashes them all, or moves them in its store. */
const takenInPerSecond = 10_000_000;

/** One upload session of the OCI distribution spec ("Pushing blobs"). */
export class RegistryUpload implements BlobUpload {
  readonly offset: number;
  readonly #context: UploadContext;
  readonly #strategy: UploadStrategy;
  #location: URL;
  #sent: number;
  #request: StreamedRequest | undefined;
  #authorization: string | undefined;
  #small: Buffer[] | undefined;
  #tail: Promise<void> = Promise.resolve();
  #starting: Promise<StreamedRequest> | undefined;

  constructor(context: UploadContext, location: URL, offset: number) {
    this.#context = context;
    this.#location = location;
    this.offset = this.#sent = offset;
    this.#strategy = context.strategies.of(context.session.origins.registry);
    if (context.blob.size - offset <= smallBytes && this.#strategy.method === 'put') this.#small = [];
  }

  write(chunk: Uint8Array): Promise<void> {
    if (this.#small !== undefined) {
      this.#small.push(Buffer.from(chunk));
      return Promise.resolve();
    }
    const open = this.#request;
    if (open !== undefined && open.written + chunk.byteLength <= open.length) {
      return open.write(chunk).catch((error: unknown) => this.#fail(error));
    }
    this.#tail = this.#tail.then(() => this.#writeAcross(chunk));
    return this.#tail;
  }

  async commit(): Promise<void> {
    const { blob } = this.#context;
    const answer = this.#small === undefined ? await this.#finishStream() : undefined;
    if (answer === undefined) await this.#put(Buffer.concat(this.#small ?? []));
    else await this.#judge(answer, [201, 204]);
    this.#context.memory?.remember(this.#context.memoryKey, undefined);
    this.#sent = blob.size;
  }

  async abandon(keep: boolean): Promise<void> {
    this.#request?.abort(new Failure('Cancelled'));
    if (keep) return;
    const { session, scope, about, memory, memoryKey } = this.#context;
    memory?.remember(memoryKey, undefined);
    await session
      .call({ method: 'DELETE', url: this.#location, scope, about, accept: [400, 404, 405] })
      .catch(() => undefined);
  }

  /** Opens requests as the strategy wants them and splits the chunk where one ends. */
  async #writeAcross(chunk: Uint8Array): Promise<void> {
    try {
      for (let rest = chunk; rest.byteLength > 0;) {
        this.#request ??= await (this.#starting ??= this.#start());
        const open: StreamedRequest = this.#request;
        const part = rest.subarray(0, open.length - open.written);
        await open.write(part);
        rest = rest.subarray(part.byteLength);
        if (open.written === open.length && this.#strategy.method === 'patch') await this.#endPatch(open);
      }
    } catch (error) {
      await this.#fail(error);
    }
  }

  async #start(): Promise<StreamedRequest> {
    const { session, scope, blob, signal } = this.#context;
    const left = blob.size - this.#sent;
    const length = Math.min(left, this.#strategy.chunkBytes ?? left);
    const own = await session.authorize(this.#location, scope, signal);
    this.#authorization = own['authorization'];
    const whole = this.#sent === 0 && this.#strategy.chunkBytes === undefined;
    return StreamedRequest.open(session.transport, {
      method: this.#strategy.method === 'put' ? 'PUT' : 'PATCH',
      url: this.#strategy.method === 'put' ? this.#withDigest() : this.#location,
      length,
      answerTimeoutMs: takingInMs(this.#context.session, this.#context.blob),
      headers: {
        'content-type': 'application/octet-stream',
        ...(whole ? {} : { 'content-range': `${this.#sent}-${this.#sent + length - 1}` }),
        ...own,
      },
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #endPatch(open: StreamedRequest): Promise<void> {
    const answer = await open.finish();
    await this.#judge(answer, [202, 201, 204]);
    this.#location = this.#gate(answer.header('location') ?? this.#location.href);
    this.#sent += open.length;
    this.#request = this.#starting = undefined;
  }

  /** The answer to a PUT with body; undefined where all bytes went by PATCH, or there were none. */
  async #finishStream(): Promise<HttpAnswer | undefined> {
    await this.#tail;
    if (this.#request === undefined) return undefined;
    try {
      if (this.#strategy.method === 'put') return await this.#request.finish();
      await this.#endPatch(this.#request);
      return undefined;
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #put(body: Uint8Array): Promise<void> {
    const { session, scope, about, signal } = this.#context;
    const answer = await session.call({
      method: 'PUT',
      url: this.#withDigest(),
      scope,
      body,
      about,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(body.byteLength),
        ...(this.offset > 0 && body.byteLength > 0
          ? { 'content-range': `${this.offset}-${this.offset + body.byteLength - 1}` }
          : {}),
      },
      accept: [400, 404, 413, 416],
      tries: 1,
      answerTimeoutMs: takingInMs(this.#context.session, this.#context.blob),
      ...(signal === undefined ? {} : { signal }),
    });
    await this.#judge(answer, [201, 204]);
  }

  /** Prefers what the registry said to how the connection broke. */
  async #fail(error: unknown): Promise<never> {
    const early = this.#request?.early;
    if (early !== undefined) await this.#judge(early, []);
    throw this.#context.session.blame(error, this.#context.about);
  }

  async #judge(answer: HttpAnswer, good: readonly number[]): Promise<void> {
    const { session, about, scope, strategies, memory, memoryKey } = this.#context;
    const later = session.judge(answer, about);
    if (later !== undefined) throw later;
    if (good.includes(answer.status)) return;
    const codes = registryErrorCodes(answer);
    const detail = [`HTTP ${answer.status}`, ...codes.slice(0, 2)].join(' ');
    if (answer.status === 401) {
      await session.challenged(answer, this.#location, scope, this.#authorization, 1);
    } else if (codes.includes('DIGEST_INVALID')) {
      throw new Failure('DigestMismatch', { ...about, detail });
    } else if (answer.status === 404) {
      memory?.remember(memoryKey, undefined);
    } else if ([400, 405, 413].includes(answer.status)) {
      memory?.remember(memoryKey, undefined);
      if (!strategies.refused(session.origins.registry, this.#strategy)) {
        throw new Failure('DestinationRefused', { ...about, detail });
      }
    } else if (answer.status !== 416) throw answerFailure(answer, about);
    throw new Failure('UploadFailed', { ...about, detail });
  }

  #withDigest(): WebAddress {
    const { search } = this.#location;
    // The query is the registry's own and stays as it is: only the digest is appended.
    const digest = `digest=${encodeURIComponent(this.#context.blob.digest)}`;
    return withSearch(this.#location, `${search === '' ? '?' : `${search}&`}${digest}`);
  }

  #gate(location: string | undefined): URL {
    return gatedLocation(this.#context, this.#location, location);
  }
}

/** Milliseconds that a registry may take over all of a blob once it has it. */
export function takingInMs(session: RegistrySession, blob: Descriptor): number {
  return session.transport.headersTimeoutMs + (blob.size / takenInPerSecond) * 1000;
}

/** The address that an upload goes on at. Throws `LocationRefused` or `BadUploadSession`. */
export function gatedLocation(
  context: Pick<UploadContext, 'session' | 'about'>,
  from: WebAddress,
  location: string | undefined,
): URL {
  const verdict = locationGate(from, location, context.session.origins);
  if (!verdict.allowed) throw new Failure(verdict.code, { ...context.about, detail: verdict.reason });
  return verdict.url;
}
