import type { ServerOptions } from 'node:https';
import { digestLike, RepositoryContent, type HeldManifest } from './content.ts';
import type { Answer } from './exchange.ts';
import type { TokenServer } from './token-server.ts';

export type RegistryAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly tokens: TokenServer; readonly realm?: string };

/** How the registry is when it behaves. */
export interface RegistryOptions {
  /** Default: open to all. */
  readonly auth?: RegistryAuth;
  /** Key and certificate. Default: plain http. */
  readonly tls?: ServerOptions;
  /** Default: true. */
  readonly referrersApi?: boolean;
  /** Whether a manifest whose parts are missing is refused, as distribution does. Default: true. */
  readonly checksManifests?: boolean;
  /** Whether an index may lack children. Default: false. */
  readonly sparse?: boolean;
  /** Stores what does not hash to its digest (and counts it). Default: false. */
  readonly acceptsWrongDigests?: boolean;
  /** Whether tags once written stay. Default: false. */
  readonly immutableTags?: boolean;
  /** Whether a blob descriptor cache goes on telling of blobs that are gone, as distribution's does. Default: false. */
  readonly lyingCache?: boolean;
}

/** What a registry double holds, and what it witnesses. */
export class RegistryState {
  readonly options: RegistryOptions;
  readonly repositories = new Map<string, RepositoryContent>();
  /** Commits that did not hash to their digest, taken or not (INV2). */
  wrongDigestCommits = 0;
  /** Tags that the registry itself broke, by name: not the client's doing until it writes them again. */
  readonly #broken = new Set<string>();
  readonly #report: (violation: string) => void;

  constructor(options: RegistryOptions, report: (violation: string) => void) {
    this.options = options;
    this.#report = report;
  }

  repository(name: string): RepositoryContent {
    const content = this.repositories.get(name) ?? new RepositoryContent();
    this.repositories.set(name, content);
    return content;
  }

  /** Puts content in without any request. Returns the manifest's digest. */
  seed(name: string, blobs: readonly Uint8Array[], manifests: readonly HeldManifest[], tag?: string): string {
    const content = this.repository(name);
    for (const blob of blobs) content.blobs.set(digestLike('sha256:', blob), Buffer.from(blob));
    let last = '';
    for (const manifest of manifests) {
      last = digestLike('sha256:', manifest.bytes);
      content.manifests.set(last, manifest);
    }
    if (tag !== undefined) content.tags.set(tag, last);
    return last;
  }

  /** Lets the registry itself break things (garbage, bit rot) without blaming the client for tags that it wrote before. */
  sabotage(name: string, act: (content: RepositoryContent) => void): void {
    const content = this.repository(name);
    act(content);
    for (const [tag, digest] of content.tags) {
      if (content.missing(digest, this.options.sparse).length > 0) this.#broken.add(`${name}:${tag}`);
    }
  }

  /** Mark and sweep. `untagged`: manifests without a tag go as well. */
  collectGarbage(options: { readonly untagged?: boolean } = {}): void {
    for (const [name, content] of this.repositories) {
      this.sabotage(name, () => {
        const held = content.reachable(options.untagged === true);
        for (const digest of content.manifests.keys())
          if (!held.has(digest)) content.manifests.delete(digest);
        for (const [digest, blob] of content.blobs) {
          if (held.has(digest)) continue;
          content.blobs.delete(digest);
          if (this.options.lyingCache === true) content.ghosts.set(digest, blob.byteLength);
        }
      });
    }
  }

  /** INV1: called after each mutation. */
  witness(name: string, written?: string): void {
    const content = this.repository(name);
    if (written !== undefined) this.#broken.delete(`${name}:${written}`);
    for (const [tag, digest] of content.tags) {
      if (this.#broken.has(`${name}:${tag}`)) continue;
      const missing = content.missing(digest, this.options.sparse);
      if (missing.length > 0) this.#report(`INV1 ${name}:${tag} lacks ${missing.join(', ')}`);
    }
  }
}

export const json: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/** An error in the form of the distribution spec. */
export function problem(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { ...json, ...headers },
    body: JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }),
  };
}
