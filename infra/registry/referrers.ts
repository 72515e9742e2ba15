import { createHash } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { parseManifest, maxManifestBytes, type Manifest } from '../../domain/image/manifest.ts';
import { bareMediaType, manifestAccept, manifestMediaTypes } from '../../domain/image/media-types.ts';
import { digestAlgorithm, parseDigest, type Digest } from '../../domain/names/digest.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag, referrersTag, type TagName } from '../../domain/names/tag.ts';
import { nextPage } from '../../domain/registry/link.ts';
import type { Attachment, StoredManifest } from '../copy/content.ts';
import { registryErrorCodes, type RequestSubject } from './answer-failure.ts';
import type { Scope } from './authenticator.ts';
import { encodeReferrersIndex } from './referrers-index.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { RegistryClient } from './registry-client.ts';
import { listSomeTags } from './tag-list.ts';

const maxPages = 100;
/** Asking for the attachments of one image tag by tag takes four requests: so many more pages are worth reading. */
const maxTagPages = 5;
/** 404s with these codes are about what was asked for, not about the way of asking. */
const aboutContent: ReadonlySet<string> = new Set(['NAME_UNKNOWN', 'MANIFEST_UNKNOWN', 'MANIFEST_INVALID']);
/** What registries without the API say. By the spec 404 alone: Quay has 400 for some manifests, Artifactory 406. */
const notTheApi: readonly number[] = [400, 404, 405, 406];
const cosignSuffixes = ['.sig', '.att', '.sbom'] as const;

/** What is attached to the manifests of one repository (OCI distribution spec, "Listing Referrers"; cosign's tags). */
export class Referrers {
  readonly #client: RegistryClient;
  readonly #path: RepositoryPath;
  readonly #scope: Scope;
  readonly #about: RequestSubject;

  constructor(client: RegistryClient, path: RepositoryPath, scope: Scope, side: RequestSubject['side']) {
    this.#client = client;
    this.#path = path;
    this.#scope = scope;
    this.#about = { side, subject: `${client.access.domain}/${path}` };
  }

  async of(digest: Digest, signal?: AbortSignal): Promise<readonly Attachment[]> {
    const tags = await this.#attachmentTags(signal);
    const fromApi = await this.#fromApi(digest, signal);
    const referrers = fromApi ?? (await this.#fromFallbackTag(digest, tags, signal));
    return [...referrers, ...(await this.#cosign(digest, tags, signal))];
  }

  /** A complete list of tags was read: attachments need not list them again. */
  listed(tags: readonly TagName[]): void {
    this.#client.learned(attachmentTagsKey(this.#path), attachmentTags(tags));
  }

  /** Keeps the fallback tag where the registry does not keep the list itself: it would have said so in `OCI-Subject`. */
  async pushed(manifest: StoredManifest, answer: HttpAnswer, signal?: AbortSignal): Promise<void> {
    if (answer.header('oci-subject') !== undefined) return;
    if (!Buffer.from(manifest.bytes).includes('"subject"')) return;
    const parsed = parseManifest({ bytes: manifest.bytes, contentType: manifest.descriptor.mediaType });
    const { subject } = parsed;
    if (subject === undefined) return;
    // Read, change, write: one at a time per repository, as registries have no compare-and-set.
    await this.#client.locks.run(`${this.#path} ${subject.digest}`, () =>
      this.#addToFallback(subject.digest, manifest, parsed, signal),
    );
  }

  async #addToFallback(
    subject: Digest,
    manifest: StoredManifest,
    parsed: Manifest,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const tag = referrersTag(subject);
    this.#client.forget(attachmentTagsKey(this.#path));
    const listed = (await this.#readIndex(`manifests/${tag}`, signal))?.children ?? [];
    if (listed.some((entry) => entry.digest === manifest.descriptor.digest)) return;
    const bytes = encodeReferrersIndex([
      ...listed,
      {
        ...manifest.descriptor,
        ...(parsed.artifactType === undefined ? {} : { artifactType: parsed.artifactType }),
        ...(Object.keys(parsed.annotations).length === 0 ? {} : { annotations: parsed.annotations }),
      },
    ]);
    await this.#client.session.call({
      method: 'PUT',
      url: this.#url(`manifests/${tag}`),
      scope: this.#scope,
      headers: { 'content-type': manifestMediaTypes.ociIndex },
      body: bytes,
      about: this.#about,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Undefined where the registry does not have the API. While that is not known, who asks first asks alone. */
  async #fromApi(
    digest: Digest,
    signal: AbortSignal | undefined,
  ): Promise<readonly Descriptor[] | undefined> {
    const client = this.#client;
    if (client.referrersApi !== undefined) return this.#askApi(digest, signal);
    if (client.referrersProbe !== undefined) {
      await client.referrersProbe.catch(() => undefined);
      return this.#askApi(digest, signal);
    }
    const probe = this.#askApi(digest, signal);
    client.referrersProbe = probe;
    return probe.finally(() => (client.referrersProbe = undefined));
  }

  async #askApi(digest: Digest, signal: AbortSignal | undefined): Promise<readonly Descriptor[] | undefined> {
    if (this.#client.referrersApi === false) return undefined;
    const found: Descriptor[] = [];
    let url: URL | undefined = this.#url(`referrers/${digest}`);
    for (let page = 0; url !== undefined; page += 1) {
      if (page >= maxPages) throw new Failure('PaginationLoop', this.#about);
      const answer: HttpAnswer = await this.#get(url, signal, notTheApi);
      if (page === 0 && (notTheApi.includes(answer.status) || isWebPage(answer))) {
        // A repository or a manifest that is not there yet says nothing about the API.
        if (!registryErrorCodes(answer).some((code) => aboutContent.has(code)))
          this.#client.referrersApi = false;
        return undefined;
      }
      if (!answer.ok)
        throw new Failure('ListingIncomplete', { ...this.#about, detail: `HTTP ${answer.status}` });
      this.#client.referrersApi = true;
      found.push(...parseIndex(answer).children);
      url = nextPage(answer.all('link'), url);
    }
    return found;
  }

  async #fromFallbackTag(
    digest: Digest,
    tags: ReadonlySet<string> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly Descriptor[]> {
    const tag = referrersTag(digest);
    if (tags !== undefined && !tags.has(tag)) return [];
    return (await this.#readIndex(`manifests/${tag}`, signal))?.children ?? [];
  }

  async #cosign(
    digest: Digest,
    tags: ReadonlySet<string> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<readonly Attachment[]> {
    if (digestAlgorithm(digest) !== 'sha256') return [];
    const names = cosignSuffixes.map((suffix) => parseTag(`${referrersTag(digest)}${suffix}`));
    const candidates = tags === undefined ? names : names.filter((name) => tags.has(name));
    const found = await Promise.all(candidates.map((tag) => this.#byTag(tag, signal)));
    return found.filter((attachment) => attachment !== undefined);
  }

  async #byTag(tag: TagName, signal: AbortSignal | undefined): Promise<Attachment | undefined> {
    const answer = await this.#get(this.#url(`manifests/${tag}`), signal);
    if (answer.status === 404) return undefined;
    const digest = parseDigest(`sha256:${createHash('sha256').update(answer.body).digest('hex')}`);
    const mediaType = answer.header('content-type') ?? manifestMediaTypes.ociManifest;
    return { mediaType, digest, size: answer.body.byteLength, tag };
  }

  async #readIndex(rest: string, signal: AbortSignal | undefined): Promise<Manifest | undefined> {
    const answer = await this.#get(this.#url(rest), signal);
    return answer.status === 404 ? undefined : parseIndex(answer);
  }

  /**
   * All tags that can be attachments, from one short list for all images of the repository; undefined where it has so
   * many tags that asking one by one costs less.
   */
  #attachmentTags(signal: AbortSignal | undefined): Promise<ReadonlySet<string> | undefined> {
    const list = async (): Promise<ReadonlySet<string> | undefined> => {
      const { session } = this.#client;
      const some = await listSomeTags(session, this.#path, this.#scope, this.#about, maxTagPages, signal);
      return some.complete ? attachmentTags(some.tags) : undefined;
    };
    return this.#client.shortLived(attachmentTagsKey(this.#path), list, signal);
  }

  #get(url: URL, signal: AbortSignal | undefined, accept: readonly number[] = [404]): Promise<HttpAnswer> {
    return this.#client.session.call({
      method: 'GET',
      url,
      scope: this.#scope,
      headers: { accept: manifestAccept, 'accept-encoding': 'identity' },
      maxBytes: maxManifestBytes,
      tooLong: 'ManifestTooLarge',
      about: this.#about,
      accept,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #url(rest: string): URL {
    return new URL(`/v2/${this.#path}/${rest}`, this.#client.session.origins.registry);
  }
}

/** Under which name the short list of attachment tags is remembered. */
export function attachmentTagsKey(path: RepositoryPath): string {
  return `attachment tags ${path}`;
}

function attachmentTags(tags: readonly string[]): ReadonlySet<string> {
  return new Set(tags.filter((tag) => tag.startsWith('sha256-')));
}

/** What Artifact Registry leads to for a path that it does not know. */
function isWebPage(answer: HttpAnswer): boolean {
  return bareMediaType(answer.header('content-type') ?? '') === 'text/html';
}

function parseIndex(answer: HttpAnswer): Manifest {
  return parseManifest({
    bytes: answer.body,
    contentType: manifestMediaTypes.ociIndex,
    subject: 'referrers',
  });
}
