import type { InspectedImage } from './inspected-image.ts';

/** A tag at a site and what it consists of. */
export interface StoredImage {
  readonly site: string;
  /** `host[:port]` of the site's registry. */
  readonly registry: string;
  readonly path: string;
  readonly tag: string;
  readonly image: InspectedImage;
}

/** Bytes of a group of images, each blob counted once. */
export interface StorageUse {
  readonly images: number;
  readonly totalBytes: number;
  /** Bytes that nothing outside the group uses: what deleting all of it would free. */
  readonly uniqueBytes: number;
  /** `totalBytes` − `uniqueBytes`. */
  readonly sharedBytes: number;
}

export interface StorageLine extends StorageUse {
  readonly site: string;
  readonly registry: string;
  /** Left out: the whole registry of the site. */
  readonly path?: string;
  /** Left out: all tags of the path. */
  readonly tag?: string;
}

/** What is stored where, as it was last measured. */
export interface StorageReport {
  /** RFC 3339 UTC. */
  readonly measured: string;
  readonly lines: readonly StorageLine[];
}

/**
 * Exact use by registry, repository and tag, largest first within each. A blob is stored once per registry, whatever
 * number of repositories and tags use it: that is how registries store.
 */
export function accountStorage(images: readonly StoredImage[]): StorageLine[] {
  const registries = [...Map.groupBy(images, ({ site, registry }) => `${site}\n${registry}`).values()];
  return registries.flatMap(accountRegistry);
}

function accountRegistry(stored: readonly StoredImage[]): StorageLine[] {
  const users = countUsers(stored);
  const line = (group: readonly StoredImage[], name: Partial<StorageLine>): StorageLine => ({
    site: group[0]?.site ?? '',
    registry: group[0]?.registry ?? '',
    ...name,
    ...useOf(group, users),
  });
  const paths = [...Map.groupBy(stored, ({ path }) => path)];
  const repositories = paths.map(([path, group]) => line(group, { path })).sort(largestFirst);
  const tags = stored.map((entry) => line([entry], { path: entry.path, tag: entry.tag })).sort(largestFirst);
  return [line(stored, {}), ...repositories, ...tags];
}

/**
 * Bytes that each deleted tag frees in its registry. A blob that several deleted tags share is counted with the first
 * of them, so that the numbers add up to what is freed in all.
 */
export function freedBytes(
  kept: readonly InspectedImage[],
  deleted: readonly InspectedImage[],
): readonly number[] {
  const counted = new Set(kept.flatMap(({ blobs }) => blobs.map(([digest]) => digest)));
  return deleted.map(({ blobs }) => {
    const fresh = blobs.filter(([digest]) => !counted.has(digest));
    for (const [digest] of fresh) counted.add(digest);
    return fresh.reduce((total, [, size]) => total + size, 0);
  });
}

/** How many of the images use each blob. */
function countUsers(images: readonly StoredImage[]): ReadonlyMap<string, number> {
  const users = new Map<string, number>();
  for (const { image } of images)
    for (const [digest] of image.blobs) users.set(digest, (users.get(digest) ?? 0) + 1);
  return users;
}

function useOf(group: readonly StoredImage[], users: ReadonlyMap<string, number>): StorageUse {
  const sizes = new Map(group.flatMap(({ image }) => image.blobs));
  const own = countUsers(group);
  let totalBytes = 0;
  let uniqueBytes = 0;
  for (const [digest, size] of sizes) {
    totalBytes += size;
    if (own.get(digest) === users.get(digest)) uniqueBytes += size;
  }
  return { images: group.length, totalBytes, uniqueBytes, sharedBytes: totalBytes - uniqueBytes };
}

const largestFirst = (a: StorageLine, b: StorageLine): number =>
  b.totalBytes - a.totalBytes || compare(`${a.path}:${a.tag}`, `${b.path}:${b.tag}`);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
