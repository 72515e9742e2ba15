import { asFailure, Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { ServedBy } from '../../domain/resources/repository.ts';
import {
  accessOf,
  type Attachment,
  type ByteSink,
  type ContentSource,
  type StoredManifest,
} from './content.ts';
import { WatchedSink } from './watched-sink.ts';

type SourceName = 'pool' | 'upstream';

interface NamedSource {
  readonly name: SourceName;
  readonly source: ContentSource;
}

/**
 * One image out of several sources, the first of them first. What one lacks, or fails to give, another is asked for: a
 * blob that broke off goes on at its next byte. One that is away is asked last for the rest of this copy, and one that
 * gave all of a blob and is asked for it again (its bytes were wrong) comes last for that blob. Who reads checks every
 * digest, as always.
 */
export class SeveralSources implements ContentSource {
  readonly label: string;
  readonly key: string;
  readonly access: string;
  readonly #sources: readonly NamedSource[];
  readonly #served = new Set<SourceName>();
  readonly #away = new Set<SourceName>();
  readonly #doubted = new Set<string>();

  /** In the order in which they are asked. */
  constructor(sources: Readonly<Partial<Record<SourceName, ContentSource>>>) {
    const { pool, upstream } = sources;
    this.#sources = [
      ...(pool === undefined ? [] : [{ name: 'pool' as const, source: pool }]),
      ...(upstream === undefined ? [] : [{ name: 'upstream' as const, source: upstream }]),
    ];
    this.label = this.#sources.map(({ source }) => source.label).join(' or ');
    this.key = this.#sources.map(({ source }) => source.key).join(' ');
    this.access = this.#sources.map(({ source }) => accessOf(source)).join(' ');
  }

  /** Undefined where nothing was read so far. */
  get servedBy(): ServedBy | undefined {
    const [one, other] = this.#served;
    return other === undefined ? one : 'both';
  }

  async resolve(reference: TagName | Digest, signal?: AbortSignal): Promise<Descriptor | undefined> {
    for (const { source } of this.#sources) {
      const found = await source.resolve(reference, signal);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async readManifest(digest: Digest, signal?: AbortSignal): Promise<StoredManifest> {
    return this.#firstOf(this.#inOrder(digest), signal, async ({ name, source }) => {
      const manifest = await source.readManifest(digest, signal);
      this.#served.add(name);
      return manifest;
    });
  }

  /** Of upstream first: a signature may be younger than what the pool knows. */
  referrers(digest: Digest, signal?: AbortSignal): Promise<readonly Attachment[]> {
    return this.#firstOf(this.#sources.toReversed(), signal, ({ source }) =>
      source.referrers(digest, signal),
    );
  }

  async readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    let position = from;
    let refusal: { readonly error: unknown } | undefined;
    await this.#firstOf(this.#inOrder(blob.digest), signal, async ({ name, source }) => {
      const watched = new WatchedSink(sink);
      try {
        await source.readBlob(blob, position, (chunk) => watched.take(chunk), signal);
      } catch (error) {
        if (!watched.refused) throw error;
        // No other source would be welcome: the reader decides how to go on.
        refusal = { error };
      } finally {
        position += watched.taken;
        if (watched.taken > 0) this.#served.add(name);
        if (position >= blob.size) this.#doubted.add(`${name} ${blob.digest}`);
      }
      if (refusal === undefined && position < blob.size)
        throw new Failure('Truncated', { side: 'source', subject: `${source.label}@${blob.digest}` });
    });
    if (refusal !== undefined) throw refusal.error;
  }

  #inOrder(digest: Digest): readonly NamedSource[] {
    const isLast = ({ name }: NamedSource): boolean =>
      this.#away.has(name) || this.#doubted.has(`${name} ${digest}`);
    return this.#sources.toSorted((one, other) => Number(isLast(one)) - Number(isLast(other)));
  }

  /** Throws the failure that gives most hope: one that may pass, else that of the last one asked. */
  async #firstOf<T>(
    sources: readonly NamedSource[],
    signal: AbortSignal | undefined,
    ask: (source: NamedSource) => Promise<T>,
  ): Promise<T> {
    const failures: Failure[] = [];
    for (const source of sources) {
      try {
        return await ask(source);
      } catch (error) {
        if (signal?.aborted === true) throw error;
        const failure = asFailure(error);
        failures.push(failure);
        if (failure.retryable) this.#away.add(source.name);
      }
    }
    throw failures.find(({ retryable }) => retryable) ?? failures.at(-1) ?? new Failure('SourceIncomplete');
  }
}
