import { createHash } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { withEntry, withoutName, type LayoutEntry } from '../../domain/image/image-layout.ts';
import { maxManifestBytes, parseManifest } from '../../domain/image/manifest.ts';
import { isManifestMediaType } from '../../domain/image/media-types.ts';
import { digestAlgorithm, digestHex, parseDigest, type Digest } from '../../domain/names/digest.ts';
import { parseTag, referrersTag, subjectOfTag, type TagName } from '../../domain/names/tag.ts';
import type {
  Attachment,
  BlobUpload,
  ByteSink,
  ContentStore,
  StoredManifest,
  UploadOptions,
} from '../copy/content.ts';
import { writeFileAtomically } from './atomic-file.ts';
import type { LayoutFolder } from './layout-folder.ts';
import { openLayoutUpload } from './layout-upload.ts';
import { manifestTypeOf } from './manifest-type.ts';
import { readFilePart } from './read-file.ts';

/** Entries of a layout that are looked at for what they refer to. */
const maxReferrers = 10_000;

/** An OCI image layout directory as a content store. What is in `blobs/` is whole, what `index.json` names is durable. */
export class LayoutStore implements ContentStore {
  readonly label: string;
  readonly key: string;
  readonly #folder: LayoutFolder;

  constructor(folder: LayoutFolder) {
    this.#folder = folder;
    this.label = this.key = `oci:${folder.path}`;
  }

  async resolve(reference: TagName | Digest): Promise<Descriptor | undefined> {
    if (!reference.includes(':')) return this.find(reference);
    const digest = parseDigest(reference);
    return (await this.#manifest(digest))?.descriptor;
  }

  /** The image of a name; without one, the only image that there is. Throws `InvalidRequest` where there are several. */
  async find(name?: string): Promise<Descriptor | undefined> {
    const { entries } = await this.#folder.listing();
    if (name !== undefined) return entries.find((entry) => entry.name === name);
    const named = entries.filter((entry) => entry.name !== undefined && !isAttachmentName(entry.name));
    const images = named.length > 0 ? named : entries;
    if (images.length < 2) return images[0];
    const names = images.slice(0, 10).map((entry) => entry.name ?? entry.digest);
    throw new Failure('InvalidRequest', { subject: this.label, detail: `which of: ${names.join(', ')}` });
  }

  /** Names that are tags; a bundle's names, with a repository in front, are not. */
  async listTags(): Promise<readonly TagName[]> {
    const { entries } = await this.#folder.listing();
    return entries.flatMap(({ name }) => tagOf(name) ?? []);
  }

  async readTag(tag: TagName): Promise<StoredManifest | undefined> {
    const entry = await this.find(tag);
    return entry === undefined ? undefined : this.readManifest(entry.digest);
  }

  async readManifest(digest: Digest): Promise<StoredManifest> {
    const bytes = await this.#readSmall(digest);
    if (bytes === undefined) throw new Failure('ManifestNotFound', this.#about(digest));
    if (!hashesTo(bytes, digest)) throw new Failure('DigestMismatch', this.#about(digest));
    return { bytes, descriptor: { mediaType: manifestTypeOf(bytes), digest, size: bytes.byteLength } };
  }

  async readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    const file = await this.#folder.open(blob.digest);
    if (file === undefined) throw new Failure('SourceIncomplete', this.#about(blob.digest));
    const { handle, size } = file;
    try {
      if (size !== blob.size) throw new Failure('SizeMismatch', this.#about(blob.digest));
      await readFilePart({ handle, start: from, length: size - from, name: blob.digest }, sink, signal);
    } finally {
      await handle.close();
    }
  }

  /** By the `subject` of what `index.json` lists, by the list of an OCI fallback tag, and by cosign's tags. */
  async referrers(digest: Digest): Promise<readonly Attachment[]> {
    const { entries } = await this.#folder.listing();
    const found = new Map<Digest, Attachment>();
    for (const entry of entries.slice(0, maxReferrers)) {
      const tag = tagOf(entry.name);
      if (tag !== undefined && subjectOfTag(tag) === digest && tag !== referrersTag(digest))
        found.set(entry.digest, { ...plain(entry), tag });
      else for (const each of await this.#referring(entry, digest)) found.set(each.digest, each);
    }
    return [...found.values()];
  }

  async hasBlob(blob: Descriptor): Promise<boolean> {
    const file = await this.#folder.open(blob.digest);
    await file?.handle.close();
    // One of another size was cut off by another tool: it is replaced.
    return file?.size === blob.size;
  }

  openUpload(blob: Descriptor, options: UploadOptions = {}): Promise<BlobUpload> {
    return openLayoutUpload(this.#folder, blob, options.resume ?? true);
  }

  async proveBlob(blob: Descriptor): Promise<boolean> {
    const file = await this.#folder.open(blob.digest);
    if (file === undefined) return false;
    const { handle, size } = file;
    try {
      if (size !== blob.size || size === 0) return size === blob.size;
      return (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).bytesRead === 1;
    } finally {
      await handle.close();
    }
  }

  /** By digest alone it is part of something else, unless it is attached to something: then it is listed, to be found. */
  async pushManifest(manifest: StoredManifest, tag?: TagName): Promise<void> {
    const { descriptor, bytes } = manifest;
    await this.#folder.prepare();
    if ((await this.#manifest(descriptor.digest)) === undefined)
      await writeFileAtomically(this.#folder.blobPath(descriptor.digest), bytes);
    if (tag !== undefined)
      await this.#folder.change((listing) => withEntry(listing, { descriptor, name: tag }));
    else if (subjectOf(manifest) !== undefined) await this.list(descriptor);
  }

  /** Lists an image that has no name: it is found by its digest. */
  list(descriptor: Descriptor): Promise<void> {
    return this.#folder.change((listing) => withEntry(listing, { descriptor }));
  }

  async removeTag(tag: TagName): Promise<boolean> {
    await this.#folder.change((listing) => withoutName(listing, tag));
    return true;
  }

  /** A manifest that is there and right; a damaged one counts as none, so that it is written again. */
  async #manifest(digest: Digest): Promise<StoredManifest | undefined> {
    const bytes = await this.#readSmall(digest);
    if (bytes === undefined || !hashesTo(bytes, digest)) return undefined;
    return { bytes, descriptor: { mediaType: manifestTypeOf(bytes), digest, size: bytes.byteLength } };
  }

  async #readSmall(digest: Digest): Promise<Uint8Array | undefined> {
    const file = await this.#folder.open(digest);
    if (file === undefined) return undefined;
    try {
      if (file.size > maxManifestBytes) throw new Failure('ManifestTooLarge', this.#about(digest));
      return await file.handle.readFile();
    } finally {
      await file.handle.close();
    }
  }

  async #referring(entry: LayoutEntry, subject: Digest): Promise<readonly Attachment[]> {
    if (!isManifestMediaType(entry.mediaType)) return [];
    const stored = await this.#manifest(entry.digest);
    if (stored === undefined) return [];
    const manifest = parseManifest({
      bytes: stored.bytes,
      contentType: entry.mediaType,
      subject: entry.digest,
    });
    if (entry.name === referrersTag(subject)) return manifest.children;
    const { artifactType } = manifest;
    if (manifest.subject?.digest !== subject) return [];
    return [{ ...plain(entry), ...(artifactType === undefined ? {} : { artifactType }) }];
  }

  #about(digest: Digest) {
    return { subject: `${this.label}@${digest}` };
  }
}

function subjectOf(manifest: StoredManifest): Digest | undefined {
  if (!Buffer.from(manifest.bytes).includes('"subject"')) return undefined;
  const contentType = manifest.descriptor.mediaType;
  return parseManifest({ bytes: manifest.bytes, contentType }).subject?.digest;
}

function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function hashesTo(bytes: Uint8Array, digest: Digest): boolean {
  return createHash(digestAlgorithm(digest)).update(bytes).digest('hex') === digestHex(digest);
}

function isAttachmentName(name: string): boolean {
  const tag = tagOf(name);
  return tag !== undefined && subjectOfTag(tag) !== undefined;
}

function tagOf(name: string | undefined): TagName | undefined {
  try {
    return name === undefined ? undefined : parseTag(name);
  } catch {
    return undefined;
  }
}
