import { blobFile } from '../../domain/bundle/file-set.ts';
import type { BundleStatement } from '../../domain/bundle/statement.ts';
import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { maxManifestBytes, parseManifest } from '../../domain/image/manifest.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import type { TagName } from '../../domain/names/tag.ts';
import type { Attachment, ByteSink, ContentSource, StoredManifest } from '../copy/content.ts';
import { sha256 } from '../trust/ed25519.ts';
import { readSmall, type BundleMedium } from './bundle-medium.ts';
import { manifestTypeOf } from './manifest-type.ts';

/** What the site has already, for a delta: its registry's repositories. */
export type SiteContent = (repo: RepositoryPath) => ContentSource;

/**
 * A verified bundle as the source of copies, repository by repository. What is looked up for one image serves all others: a
 * bundle has up to 10,000 images, and as many signatures.
 */
export function bundleSources(
  medium: BundleMedium,
  statement: BundleStatement,
  site: SiteContent,
): (repo: RepositoryPath) => ContentSource {
  const sources = new Map<RepositoryPath, BundleSource>();
  const carried = new Set(statement.blobs.map(({ digest }) => digest));
  const assumed = new Map(statement.assumed.map(({ digest, repo }) => [digest, repo]));
  return (repo) => {
    const source = sources.get(repo) ?? new BundleSource({ medium, statement, site, carried, assumed }, repo);
    sources.set(repo, source);
    return source;
  };
}

interface BundleParts {
  readonly medium: BundleMedium;
  readonly statement: BundleStatement;
  readonly site: SiteContent;
  readonly carried: ReadonlySet<Digest>;
  /** Where at the site each part is that the bundle does not carry. */
  readonly assumed: ReadonlyMap<Digest, RepositoryPath>;
}

/** One repository of a verified bundle as the source of a copy. What the bundle only assumes is read at the site. */
class BundleSource implements ContentSource {
  readonly label: string;
  readonly key: string;
  readonly #parts: BundleParts;
  readonly #repo: RepositoryPath;
  #bySubject: Promise<ReadonlyMap<Digest, readonly Attachment[]>> | undefined;

  constructor(parts: BundleParts, repo: RepositoryPath) {
    this.#parts = parts;
    this.#repo = repo;
    this.label = `bundle ${parts.statement.sequence}: ${repo}`;
    this.key = `bundle:${parts.medium.label}/${repo}`;
  }

  async resolve(reference: TagName | Digest): Promise<Descriptor | undefined> {
    const { images, referrers } = this.#parts.statement;
    const image = images.find(({ repo, tag }) => repo === this.#repo && tag === reference);
    return image ?? [...images, ...referrers].find(({ digest }) => digest === reference);
  }

  async readManifest(digest: Digest, signal?: AbortSignal): Promise<StoredManifest> {
    if (!this.#parts.carried.has(digest)) return this.#assumed(digest).readManifest(digest, signal);
    const bytes = await readSmall(this.#parts.medium, blobFile({ digest }), maxManifestBytes);
    if (sha256(bytes) !== digest) throw new Failure('BundleCorrupt', { subject: digest });
    return { bytes, descriptor: { mediaType: manifestTypeOf(bytes), digest, size: bytes.byteLength } };
  }

  async readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    if (!this.#parts.carried.has(blob.digest)) {
      return this.#assumed(blob.digest).readBlob(blob, from, sink, signal);
    }
    return this.#parts.medium.read(blobFile(blob), from, sink, signal);
  }

  async referrers(subject: Digest, signal?: AbortSignal): Promise<readonly Attachment[]> {
    this.#bySubject ??= this.#readReferrers(signal);
    try {
      return (await this.#bySubject).get(subject) ?? [];
    } catch (error) {
      this.#bySubject = undefined;
      throw error;
    }
  }

  async #readReferrers(signal?: AbortSignal): Promise<ReadonlyMap<Digest, readonly Attachment[]>> {
    const found = new Map<Digest, Attachment[]>();
    for (const referrer of this.#parts.statement.referrers) {
      if (referrer.repo !== this.#repo) continue;
      const { bytes } = await this.readManifest(referrer.digest, signal);
      const { subject } = parseManifest({ bytes, contentType: referrer.mediaType, subject: referrer.digest });
      if (subject !== undefined) found.set(subject.digest, [...(found.get(subject.digest) ?? []), referrer]);
    }
    return found;
  }

  #assumed(digest: Digest): ContentSource {
    const repo = this.#parts.assumed.get(digest);
    if (repo === undefined) throw new Failure('BundleIncomplete', { subject: digest });
    return this.#parts.site(repo);
  }
}
