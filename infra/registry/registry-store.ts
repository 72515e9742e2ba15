import { createHash } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import type { FailureCode } from '../../domain/failure-catalogue.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { maxManifestBytes } from '../../domain/image/manifest.ts';
import { bareMediaType, manifestAccept } from '../../domain/image/media-types.ts';
import { digestAlgorithm, parseDigest, type Digest } from '../../domain/names/digest.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import { subjectOfTag, type TagName } from '../../domain/names/tag.ts';
import type { WebAddress } from '../../domain/registry/origin.ts';
import type {
  Attachment,
  BlobMounter,
  BlobUpload,
  ByteSink,
  ChangeOptions,
  ContentStore,
  StoredManifest,
  UploadOptions,
} from '../copy/content.ts';
import type { RequestSubject } from './answer-failure.ts';
import type { Scope } from './authenticator.ts';
import { BlobReader } from './blob-reader.ts';
import type { HttpAnswer } from './http-answer.ts';
import { pushedManifestFailure } from './manifest-refusal.ts';
import { hasLastByte } from './last-byte.ts';
import { mountBlob } from './mount-blob.ts';
import { attachmentTagsKey, Referrers } from './referrers.ts';
import type { RegistryClient } from './registry-client.ts';
import { openRegistryUpload } from './open-upload.ts';
import type { Call } from './session.ts';
import { listAllTags } from './tag-list.ts';

/** Which end of a copy a repository is, and so what it may be asked for. */
export type StoreRole = 'source' | 'destination';

/** Bytes of a manifest whose parts a registry finds in a millisecond, at the least: an entry has some 200. */
const lookedUpPerMs = 10;

/** One repository of a registry, as a content store. */
export class RegistryStore implements ContentStore, BlobMounter {
  readonly label: string;
  readonly key: string;
  readonly access: string;
  readonly gcSettleSeconds: number;
  readonly gcDeletesUntagged: boolean;
  readonly #client: RegistryClient;
  readonly #path: RepositoryPath;
  readonly #role: StoreRole;
  readonly #scope: Scope;
  readonly #reader: BlobReader;
  readonly #referrers: Referrers;

  constructor(client: RegistryClient, path: RepositoryPath, role: StoreRole) {
    this.#client = client;
    this.#path = path;
    this.#role = role;
    this.#scope = { path, actions: role === 'source' ? ['pull'] : ['pull', 'push'] };
    this.label = `${client.access.domain}/${path}`;
    this.key = `${client.session.origins.registry}/${path}`;
    this.access = `${this.key} as ${client.id}`;
    this.gcSettleSeconds = client.access.gcSettleSeconds ?? 0;
    this.gcDeletesUntagged = client.access.gcDeletesUntagged ?? false;
    this.#reader = new BlobReader(client.session, client.reads);
    this.#referrers = new Referrers(client, path, this.#scope, role);
  }

  get mounter(): BlobMounter {
    return this;
  }

  async resolve(reference: TagName | Digest, signal?: AbortSignal): Promise<Descriptor | undefined> {
    const answer = await this.#head(reference, signal);
    if (answer?.status === 404) return undefined;
    if (answer === undefined || !answer.ok) return (await this.#readManifest(reference, signal))?.descriptor;
    const digest = reference.includes(':') ? parseDigest(reference) : headerDigest(answer);
    const size = Number(answer.header('content-length'));
    const mediaType = bareMediaType(answer.header('content-type') ?? '');
    if (digest !== undefined && Number.isSafeInteger(size) && size > 0 && mediaType !== '') {
      return { mediaType, digest, size };
    }
    return (await this.#readManifest(reference, signal))?.descriptor;
  }

  async readManifest(digest: Digest, signal?: AbortSignal): Promise<StoredManifest> {
    const manifest = await this.#readManifest(digest, signal);
    if (manifest === undefined) throw this.#failure('ManifestNotFound', digest);
    if (manifest.descriptor.digest !== digest) throw this.#failure('DigestMismatch', digest);
    return manifest;
  }

  /** The manifest under a tag, in one request; undefined where there is none. */
  readTag(tag: TagName, signal?: AbortSignal): Promise<StoredManifest | undefined> {
    return this.#readManifest(tag, signal);
  }

  /** All tags, complete or a `ListingIncomplete`; none for a repository that is not there. */
  async listTags(signal?: AbortSignal): Promise<readonly TagName[]> {
    try {
      const about = { side: this.#role, subject: this.label };
      const tags = await listAllTags(this.#client.session, this.#path, this.#scope, about, signal);
      this.#referrers.listed(tags);
      return tags;
    } catch (error) {
      if (error instanceof Failure && error.code === 'RepositoryNotFound') return [];
      throw error;
    }
  }

  readBlob(blob: Descriptor, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    return this.#reader.read(
      {
        url: this.#url(`blobs/${blob.digest}`),
        blob,
        scope: this.#scope,
        about: this.#about(blob.digest, 'SourceIncomplete'),
        from,
        ...(signal === undefined ? {} : { signal }),
      },
      sink,
    );
  }

  referrers(digest: Digest, signal?: AbortSignal): Promise<readonly Attachment[]> {
    return this.#referrers.of(digest, signal);
  }

  async hasBlob(blob: Descriptor, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#call(
      {
        method: 'HEAD',
        url: this.#url(`blobs/${blob.digest}`),
        about: this.#about(blob.digest),
        accept: [404],
      },
      signal,
    );
    if (answer.status === 404) return false;
    const length = answer.header('content-length');
    if (length !== undefined && Number(length) !== blob.size) {
      throw new Failure('SizeMismatch', {
        subject: blob.digest,
        detail: `${length} bytes there, ${blob.size} in the manifest`,
      });
    }
    return true;
  }

  openUpload(blob: Descriptor, options: UploadOptions = {}): Promise<BlobUpload> {
    const { memory, signal } = options;
    return openRegistryUpload(
      {
        session: this.#client.session,
        strategies: this.#client.strategies,
        scope: this.#scope,
        about: this.#about(blob.digest),
        blob,
        memoryKey: `${this.key}@${blob.digest}`,
        ...(signal === undefined ? {} : { signal }),
        ...(memory === undefined ? {} : { memory }),
      },
      this.#url('blobs/uploads/'),
      options.resume ?? true,
    );
  }

  async proveBlob(blob: Descriptor, signal?: AbortSignal): Promise<boolean> {
    if (blob.size === 0) return this.hasBlob(blob, signal);
    return hasLastByte(blob, (from, sink) => this.readBlob(blob, from, sink, signal), signal);
  }

  async pushManifest(
    manifest: StoredManifest,
    tag?: TagName,
    signal?: AbortSignal,
    { once = false }: ChangeOptions = {},
  ): Promise<void> {
    const { session } = this.#client;
    const reference = tag ?? manifest.descriptor.digest;
    const answer = await this.#call(
      {
        method: 'PUT',
        url: this.#url(`manifests/${reference}`),
        headers: { 'content-type': manifest.descriptor.mediaType },
        body: manifest.bytes,
        // Each part that it names is looked for in the registry's store before the answer.
        answerTimeoutMs: session.transport.headersTimeoutMs + manifest.bytes.byteLength / lookedUpPerMs,
        about: this.#about(reference),
        accept: [400, 404, 405, 409, 412, 413],
        once,
      },
      signal,
    );
    if (!answer.ok) throw pushedManifestFailure(answer, this.#about(reference), tag !== undefined);
    if (tag !== undefined && subjectOfTag(tag) !== undefined)
      this.#client.forget(attachmentTagsKey(this.#path));
    await this.#referrers.pushed(manifest, answer, signal);
  }

  async removeTag(
    tag: TagName,
    signal?: AbortSignal,
    { once = false }: ChangeOptions = {},
  ): Promise<boolean> {
    const answer = await this.#call(
      {
        method: 'DELETE',
        url: this.#url(`manifests/${tag}`),
        scope: { path: this.#path, actions: ['pull', 'push', 'delete'] },
        about: this.#about(tag),
        accept: [400, 404, 405],
        once,
      },
      signal,
    );
    return answer.ok || answer.status === 404;
  }

  mountBlob(blob: Descriptor, from: RepositoryPath, signal?: AbortSignal): Promise<boolean> {
    const { session } = this.#client;
    const [uploads, about] = [this.#url('blobs/uploads/'), this.#about(blob.digest)];
    const mount = { session, uploads, blob, from, scope: this.#scope, about };
    return mountBlob(signal === undefined ? mount : { ...mount, signal });
  }

  /** Undefined where the answer to a HEAD makes no sense; 400 and 405 come from proxies that know only GET. */
  async #head(reference: TagName | Digest, signal: AbortSignal | undefined): Promise<HttpAnswer | undefined> {
    try {
      const call = this.#manifestCall('HEAD', reference);
      return await this.#call({ ...call, accept: [400, 404, 405] }, signal);
    } catch (error) {
      if (error instanceof Failure && error.code === 'UnexpectedResponse') return undefined;
      throw error;
    }
  }

  async #readManifest(
    reference: TagName | Digest,
    signal?: AbortSignal,
  ): Promise<StoredManifest | undefined> {
    const answer = await this.#call(
      { ...this.#manifestCall('GET', reference), maxBytes: maxManifestBytes, tooLong: 'ManifestTooLarge' },
      signal,
    );
    if (answer.status === 404) return undefined;
    const algorithm = reference.includes(':') ? digestAlgorithm(parseDigest(reference)) : 'sha256';
    const digest = parseDigest(`${algorithm}:${createHash(algorithm).update(answer.body).digest('hex')}`);
    const mediaType = bareMediaType(answer.header('content-type') ?? '');
    return { descriptor: { mediaType, digest, size: answer.body.byteLength }, bytes: answer.body };
  }

  #manifestCall(method: 'GET' | 'HEAD', reference: TagName | Digest): Omit<Call, 'scope'> {
    return {
      method,
      url: this.#url(`manifests/${reference}`),
      headers: { accept: manifestAccept, 'accept-encoding': 'identity' },
      about: this.#about(reference, reference.includes(':') ? 'ManifestNotFound' : 'TagNotFound'),
      accept: [404],
    };
  }

  #call(
    call: Omit<Call, 'scope'> & { readonly scope?: Scope },
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    return this.#client.session.call({
      scope: this.#scope,
      ...call,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #url(rest: string, search = ''): WebAddress {
    return this.#client.session.addresses.at(`/v2/${this.#path}/${rest}`, search);
  }

  #about(reference: string, missing?: FailureCode): RequestSubject {
    const separator = reference.includes(':') ? '@' : ':';
    return {
      side: this.#role,
      subject: `${this.label}${separator}${reference}`,
      ...(missing === undefined ? {} : { missing }),
    };
  }

  #failure(code: FailureCode, reference: string): Failure {
    return new Failure(code, this.#about(reference));
  }
}

/** The header is a hint for a tag's digest; a malformed one counts as none. */
function headerDigest(answer: HttpAnswer): Digest | undefined {
  try {
    return parseDigest(answer.header('docker-content-digest') ?? '');
  } catch {
    return undefined;
  }
}
