/** A tag read as a version. Number parts are digit strings without leading zeros, so that size is no limit. */
export interface TagVersion {
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** How many of the three were written. Below 3 the tag names a moving series, such as `1.25`. */
  readonly parts: 1 | 2 | 3;
  /** Dot-separated identifiers after `-`; empty for a release. */
  readonly prerelease: readonly string[];
  /** After `+`, or after `_` as tags cannot hold a `+` (the way Helm writes it); empty where there is none. */
  readonly build: string;
}

const pattern =
  /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:[_+]([0-9A-Za-z][0-9A-Za-z._-]*))?$/;

/** Reads `[v]1[.2[.3]][-pre][_build]`; undefined for a tag that is no version. Calendar versions such as `2026.01.05` count. */
export function parseVersion(tag: string): TagVersion | undefined {
  const match = pattern.exec(tag);
  if (match === null) return undefined;
  const [, major = '0', minor, patch, prerelease, build = ''] = match;
  return {
    major: withoutZeros(major),
    minor: withoutZeros(minor ?? '0'),
    patch: withoutZeros(patch ?? '0'),
    parts: patch !== undefined ? 3 : minor !== undefined ? 2 : 1,
    prerelease: prerelease === undefined ? [] : prerelease.split('.'),
    build,
  };
}

/** True for a tag with all three numbers: one that names a version, not a moving series. */
export function isFullVersion(tag: string): boolean {
  return parseVersion(tag)?.parts === 3;
}

/** The version as strict semver text without build metadata, for range checks: `v1.2` → `1.2.0`. */
export function semverText(version: TagVersion): string {
  const release = `${version.major}.${version.minor}.${version.patch}`;
  const identifiers = version.prerelease.map((part) => (isNumber(part) ? withoutZeros(part) : part));
  return identifiers.length === 0 ? release : `${release}-${identifiers.join('.')}`;
}

/**
 * A total order over tags, oldest first (negative where `a` is older):
 * 1. tags that are no version are older than all versions, and among themselves in {@link compareNames} order;
 * 2. versions by major, minor, patch as numbers, a part that was left out being 0 (`1.9` < `1.10`);
 * 3. a pre-release is older than its release; pre-releases by semver 2.0.0, section 11.4;
 * 4. then fewer written parts are older (`1.2` < `1.2.0`), then build metadata in name order;
 * 5. then the text itself (`1.2.0` < `v1.2.0`), so that only equal tags compare as equal.
 */
export function compareTags(a: string, b: string): number {
  const left = parseVersion(a);
  const right = parseVersion(b);
  if (left === undefined || right === undefined) {
    if (left === right) return compareNames(a, b);
    return left === undefined ? -1 : 1;
  }
  return (
    compareReleases(left, right) ||
    comparePrereleases(left.prerelease, right.prerelease) ||
    left.parts - right.parts ||
    compareNames(left.build, right.build) ||
    compareNames(a, b)
  );
}

/** Name order with runs of digits compared as numbers: `build-9` < `build-10`; total, ties by code units. */
export function compareNames(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (const [index, chunk] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const both = isNumber(chunk) && isNumber(other);
    const order = both ? compareNumbers(chunk, other) : compareText(chunk, other);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareText(a, b);
}

function compareReleases(a: TagVersion, b: TagVersion): number {
  return (
    compareNumbers(a.major, b.major) || compareNumbers(a.minor, b.minor) || compareNumbers(a.patch, b.patch)
  );
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareIdentifiers(part, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
  return compareText(a, b);
}

function compareNumbers(a: string, b: string): number {
  const left = withoutZeros(a);
  const right = withoutZeros(b);
  return left.length - right.length || compareText(left, right);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const isNumber = (text: string): boolean => /^\d+$/.test(text);
const withoutZeros = (digits: string): string => digits.replace(/^0+(?=\d)/, '');
