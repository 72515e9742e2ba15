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

/** One repository of a verified bundle as the source of a copy. What the bundle only assumes is read at the site. */
export class BundleSource implements ContentSource {
  readonly label: string;
  readonly key: string;
  readonly #medium: BundleMedium;
  readonly #statement: BundleStatement;
  readonly #repo: RepositoryPath;
  readonly #site: SiteContent;
  readonly #carried: ReadonlySet<Digest>;

  constructor(medium: BundleMedium, statement: BundleStatement, repo: RepositoryPath, site: SiteContent) {
    this.#medium = medium;
    this.#statement = statement;
    this.#repo = repo;
    this.#site = site;
    this.#carried = new Set(statement.blobs.map(({ digest }) => digest));
    this.label = `bundle ${statement.sequence}: ${repo}`;
    this.key = `bundle:${medium.label}/${repo}`;
  }

  async resolve(reference: TagName | Digest): Promise<Descriptor | undefined> {
    const { images, referrers } = this.#statement;
    const image = images.find(({ repo, tag }) => repo === this.#repo && tag === reference);
    return image ?? [...images, ...referrers].find(({ digest }) => digest === reference);
  }

  async readManifest(digest: Digest, signal?: AbortSignal): Promise<StoredManifest> {
    if (!this.#carried.has(digest)) return this.#assumed(digest).readManifest(digest, signal);
    const bytes = await readSmall(this.#medium, blobFile({ digest }), maxManifestBytes);
    if (sha256(bytes) !== digest) throw new Failure('BundleCorrupt', { subject: digest });
    return { bytes, descriptor: { mediaType: manifestTypeOf(bytes), digest, size: bytes.byteLength } };
  }

  async readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    if (!this.#carried.has(blob.digest)) {
      return this.#assumed(blob.digest).readBlob(blob, from, sink, signal);
    }
    return this.#medium.read(blobFile(blob), from, sink, signal);
  }

  async referrers(subject: Digest, signal?: AbortSignal): Promise<readonly Attachment[]> {
    const found: Attachment[] = [];
    for (const referrer of this.#statement.referrers) {
      if (referrer.repo !== this.#repo) continue;
      const { bytes } = await this.readManifest(referrer.digest, signal);
      const manifest = parseManifest({ bytes, contentType: referrer.mediaType, subject: referrer.digest });
      if (manifest.subject?.digest === subject) found.push(referrer);
    }
    return found;
  }

  #assumed(digest: Digest): ContentSource {
    const blob = this.#statement.assumed.find((each) => each.digest === digest);
    if (blob === undefined) throw new Failure('BundleIncomplete', { subject: digest });
    return this.#site(blob.repo);
  }
}
