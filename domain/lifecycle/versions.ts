import type { ManifestStatus, VersionStatus } from '../resources/repository.ts';

/** Versions remembered for one tag. */
export const versionsPerTag = 20;
/** Versions remembered for one Repository, so that its status stays far below etcd's limit. */
export const versionsPerRepository = 400;

/** A tag that was placed. `now` is RFC 3339 UTC. */
export interface Placement {
  readonly tag: string;
  readonly digest: string;
  readonly now: string;
  readonly syncId: string;
}

/**
 * The history with what a sync placed, newest first. A digest that the tag had before moves to the front and keeps the
 * time it was first seen; a digest it has already changes nothing.
 */
export function recordPlacements(
  history: readonly VersionStatus[],
  placements: readonly Placement[],
): VersionStatus[] {
  const fresh = placements.filter(({ tag, digest }) => currentVersion(history, tag)?.digest !== digest);
  const entries = fresh.map(({ tag, digest, now, syncId }): VersionStatus => {
    const before = history.find((version) => version.tag === tag && version.digest === digest);
    return { tag, digest, seen: before?.seen ?? now, placed: now, syncId };
  });
  const replaced = new Set(entries.map(({ tag, digest }) => `${tag} ${digest}`));
  const rest = history.filter(({ tag, digest }) => !replaced.has(`${tag} ${digest}`));
  return bounded([...entries, ...rest]);
}

/** The version that a tag has now: the one placed last. */
export function currentVersion(history: readonly VersionStatus[], tag: string): VersionStatus | undefined {
  return history.find((version) => version.tag === tag);
}

/** The version that a tag had before the current one: what a rollback goes to where nobody names a digest. */
export function previousVersion(history: readonly VersionStatus[], tag: string): VersionStatus | undefined {
  return history.filter((version) => version.tag === tag)[1];
}

function bounded(history: readonly VersionStatus[]): VersionStatus[] {
  const counts = new Map<string, number>();
  const kept = history.filter(({ tag }) => {
    const count = (counts.get(tag) ?? 0) + 1;
    counts.set(tag, count);
    return count <= versionsPerTag;
  });
  return kept.slice(0, versionsPerRepository);
}

/** How two versions differ. Sizes are bytes of compressed layers, each layer counted once. */
export interface VersionComparison {
  readonly from: string;
  readonly to: string;
  readonly sharedLayers: readonly string[];
  readonly addedLayers: readonly string[];
  readonly removedLayers: readonly string[];
  readonly sharedBytes: number;
  /** What a site that has `from` must fetch to have `to`. */
  readonly addedBytes: number;
  readonly removedBytes: number;
}

/** A version and what its manifest says. */
export interface DescribedVersion {
  readonly digest: string;
  readonly manifest: ManifestStatus;
}

/** Compares the layers of two versions of the same platform. */
export function compareVersions(from: DescribedVersion, to: DescribedVersion): VersionComparison {
  const before = layerSizes(from.manifest);
  const after = layerSizes(to.manifest);
  const shared = [...after].filter(([digest]) => before.has(digest));
  const added = [...after].filter(([digest]) => !before.has(digest));
  const removed = [...before].filter(([digest]) => !after.has(digest));
  return {
    from: from.digest,
    to: to.digest,
    sharedLayers: shared.map(([digest]) => digest),
    addedLayers: added.map(([digest]) => digest),
    removedLayers: removed.map(([digest]) => digest),
    sharedBytes: sum(shared),
    addedBytes: sum(added),
    removedBytes: sum(removed),
  };
}

const layerSizes = (manifest: ManifestStatus): ReadonlyMap<string, number> =>
  new Map(manifest.layers.map(({ digest, size }) => [digest, Number(size)]));

const sum = (layers: readonly (readonly [string, number])[]): number =>
  layers.reduce((total, [, size]) => total + size, 0);
