import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../names/digest.ts';
import type { RepositoryPath } from '../names/repository-path.ts';
import type { BundleBlob, BundleImage, BundleReferrer } from './statement.ts';
import type { BundleMark } from './site-state.ts';

/** An image that the site should have, with all that it consists of. */
export interface WantedImage extends BundleImage {
  /** Every manifest and blob of it, its own manifest and its referrers' included. */
  readonly content: readonly Descriptor[];
  /** Signatures and other manifests that refer to it. */
  readonly referrers: readonly Descriptor[];
}

/** What the site proved to have. */
export interface AcknowledgedBase extends BundleMark {
  readonly content: readonly BundleBlob[];
}

/** What the site told that it has. */
export interface InventoryBase {
  /** Digest of the inventory's payload. */
  readonly inventory: Digest;
  readonly content: readonly BundleBlob[];
}

/** What a bundle has to carry. Sizes in bytes; `saved` is what the base spares the carrier. */
export interface DeltaPlan {
  readonly images: readonly BundleImage[];
  readonly referrers: readonly BundleReferrer[];
  readonly carried: readonly BundleBlob[];
  readonly assumed: readonly BundleBlob[];
  readonly base?: BundleMark;
  readonly inventory?: Digest;
  readonly bytes: { readonly full: number; readonly carried: number; readonly saved: number };
}

/** Plans a bundle: everything wanted that the base does not have is carried, the rest is assumed. Each blob counts once. */
export function planDelta(
  wanted: readonly WantedImage[],
  base?: AcknowledgedBase | InventoryBase,
): DeltaPlan {
  const content = new Map<Digest, BundleBlob>();
  for (const image of wanted) {
    for (const { digest, size } of image.content) {
      if (!content.has(digest)) content.set(digest, { digest, size, repo: image.repo });
    }
  }
  const held = new Map(base?.content.map((blob) => [blob.digest, blob]));
  const all = [...content.values()].sort(by(({ digest }) => digest));
  const carried = all.filter(({ digest }) => !held.has(digest));
  const assumed = all.flatMap(({ digest }) => held.get(digest) ?? []);
  const full = sizeOf(all);
  return {
    images: wanted.map(plainImage).sort(by(({ repo, tag }) => `${repo}:${tag}`)),
    referrers: referrersOf(wanted),
    carried,
    assumed,
    ...namedBase(base),
    bytes: { full, carried: sizeOf(carried), saved: full - sizeOf(carried) },
  };
}

function namedBase(
  base: AcknowledgedBase | InventoryBase | undefined,
): Pick<DeltaPlan, 'base' | 'inventory'> {
  if (base === undefined) return {};
  if ('inventory' in base) return { inventory: base.inventory };
  return { base: { sequence: base.sequence, digest: base.digest } };
}

function plainImage({ repo, tag, digest, mediaType, size }: WantedImage): BundleImage {
  return { repo, tag, digest, mediaType, size };
}

function referrersOf(wanted: readonly WantedImage[]): BundleReferrer[] {
  const found = new Map<string, BundleReferrer>();
  const add = (repo: RepositoryPath, { digest, mediaType, size }: Descriptor): void => {
    found.set(`${repo}@${digest}`, { repo, digest, mediaType, size });
  };
  for (const image of wanted) for (const referrer of image.referrers) add(image.repo, referrer);
  return [...found].sort(by(([key]) => key)).map(([, referrer]) => referrer);
}

const sizeOf = (blobs: readonly BundleBlob[]): number => blobs.reduce((sum, { size }) => sum + size, 0);

/** Compares by UTF-16 code units, as signed lists are sorted. */
function by<T>(key: (value: T) => string): (one: T, other: T) => number {
  return (one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === b) return 0;
    return a < b ? -1 : 1;
  };
}
