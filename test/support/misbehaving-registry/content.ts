import { createHash, randomUUID } from 'node:crypto';

export interface HeldManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface HeldUpload {
  readonly chunks: Buffer[];
  size: number;
}

/** What one repository holds. */
export class RepositoryContent {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, HeldManifest>();
  readonly tags = new Map<string, string>();
  readonly uploads = new Map<string, HeldUpload>();
  /** Blobs that are gone and that the registry still believes to have, as a blob descriptor cache does. */
  readonly ghosts = new Map<string, number>();

  openUpload(): string {
    const id = randomUUID();
    this.uploads.set(id, { chunks: [], size: 0 });
    return id;
  }

  /** Resolves a tag or digest to a digest. */
  resolve(reference: string): string | undefined {
    return reference.includes(':') ? reference : this.tags.get(reference);
  }

  /** Digests that are missing below a manifest, itself included. `sparse`: an index may lack children. */
  missing(digest: string, sparse = false): readonly string[] {
    const manifest = this.manifests.get(digest);
    if (manifest === undefined) return [digest];
    const { blobs, children } = entriesOf(manifest);
    const gone = blobs.filter((blob) => !this.blobs.has(blob));
    const below = children.flatMap((child) =>
      sparse && !this.manifests.has(child) ? [] : this.missing(child, sparse),
    );
    return [...gone, ...below];
  }

  /** Every digest that tags, or all manifests, hold on to. */
  reachable(fromTagsOnly: boolean): ReadonlySet<string> {
    const held = new Set<string>();
    const visit = (digest: string): void => {
      const manifest = this.manifests.get(digest);
      if (held.has(digest) || manifest === undefined) return;
      held.add(digest);
      const { blobs, children } = entriesOf(manifest);
      for (const blob of blobs) held.add(blob);
      for (const child of children) visit(child);
    };
    for (const digest of fromTagsOnly ? this.tags.values() : this.manifests.keys()) visit(digest);
    return held;
  }
}

/** What a manifest lists, read as leniently as real registries do. */
export function entriesOf(manifest: HeldManifest): {
  readonly blobs: string[];
  readonly children: string[];
  readonly subject?: string;
} {
  try {
    const body = JSON.parse(manifest.bytes.toString()) as Record<string, unknown>;
    const list = (key: string): string[] =>
      (Array.isArray(body[key]) ? (body[key] as { digest?: string; mediaType?: string }[]) : []).flatMap(
        (entry) => entry.digest ?? [],
      );
    const config = (body['config'] as { digest?: string } | undefined)?.digest;
    const subject = (body['subject'] as { digest?: string } | undefined)?.digest;
    const foreign =
      (body['layers'] as { urls?: string[]; digest: string }[] | undefined)?.filter(
        (layer) => layer.urls !== undefined,
      ) ?? [];
    const skip = new Set(foreign.map((layer) => layer.digest));
    return {
      blobs: [
        ...(config === undefined ? [] : [config]),
        ...list('layers').filter((digest) => !skip.has(digest)),
      ],
      children: list('manifests'),
      ...(subject === undefined ? {} : { subject }),
    };
  } catch {
    return { blobs: [], children: [] };
  }
}

/** The digest of bytes under an algorithm. */
export function digestOf(bytes: Uint8Array, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** The digest of bytes under the algorithm that another digest names. */
export function digestLike(digest: string, bytes: Uint8Array): string {
  return digestOf(bytes, digest.startsWith('sha512:') ? 'sha512' : 'sha256');
}
