import { someNames } from '../some-names.ts';
import { Failure } from '../failure.ts';
import { digestHex } from '../names/digest.ts';
import type { BundleStatement } from './statement.ts';

/** A regular file of a bundle: its path with `/`, relative to the bundle, and its size in bytes. */
export interface BundleFile {
  readonly name: string;
  readonly size: number;
}

export const indexFile = 'index.json';
export const layoutFile = 'oci-layout';
export const manifestFile = 'manifest.dsse.json';

/** Path of a trust root inside a bundle. */
export const rootFile = (version: number): string => `roots/root.${version}.json`;
/** Path of a blob inside a bundle, as in every OCI layout. */
export const blobFile = (blob: { readonly digest: BundleStatement['indexDigest'] }): string =>
  `blobs/sha256/${digestHex(blob.digest)}`;

/** The names that a file of a bundle may have; everything else is refused where it is met. */
export function isBundleFileName(name: string): boolean {
  if (name === indexFile || name === layoutFile || name === manifestFile) return true;
  return /^blobs\/sha256\/[0-9a-f]{64}$/.test(name) || /^roots\/root\.[1-9][0-9]{0,8}\.json$/.test(name);
}

/**
 * Compares the files that are there with the signed list: exactly those, with exactly their sizes. Throws
 * `LayoutInvalid`, `BundleIncomplete` or `BundleCorrupt`, naming the first file and how many more.
 */
export function checkFileSet(statement: BundleStatement, files: readonly BundleFile[]): void {
  const present = new Map(files.map(({ name, size }) => [name, size]));
  const fixed = [manifestFile, ...statement.roots.map(({ version }) => rootFile(version))];
  const lost = [indexFile, layoutFile].find((name) => !present.has(name));
  if (lost !== undefined) throw new Failure('LayoutInvalid', { detail: `${lost} is missing` });
  const expected = new Map(statement.blobs.map((blob) => [blobFile(blob), blob.size]));
  const missing = [...fixed, ...expected.keys()].filter((name) => !present.has(name));
  if (missing.length > 0) throw new Failure('BundleIncomplete', { detail: firstOf(missing) });
  const allowed = new Set([indexFile, layoutFile, ...fixed, ...expected.keys()]);
  const extra = [...present.keys()].filter((name) => !allowed.has(name));
  if (extra.length > 0) throw new Failure('BundleCorrupt', { detail: `not in the list: ${firstOf(extra)}` });
  const wrong = [...expected].filter(([name, size]) => present.get(name) !== size).map(([name]) => name);
  if (wrong.length > 0) throw new Failure('BundleCorrupt', { detail: `wrong size: ${firstOf(wrong)}` });
}

const firstOf = (names: readonly string[]): string => someNames(names, 1);
