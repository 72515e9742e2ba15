import type { ManifestStatus, VersionStatus } from '../resources/repository.ts';

/** The version that a tag has now: the one placed last. */
export function currentVersion(history: readonly VersionStatus[], tag: string): VersionStatus | undefined {
  return history.find((version) => version.tag === tag);
}

/** The last version with another digest than the current one: what a rollback goes to where nobody names a digest. */
export function previousVersion(history: readonly VersionStatus[], tag: string): VersionStatus | undefined {
  const current = currentVersion(history, tag)?.digest;
  return history.find((version) => version.tag === tag && version.digest !== current);
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
