import {
  blobFile,
  indexFile,
  layoutFile,
  manifestFile,
  rootFile,
  type BundleFile,
} from '../../domain/bundle/file-set.ts';
import { ociLayoutBytes } from '../../domain/bundle/layout-index.ts';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import { Failure } from '../../domain/failure.ts';
import type { SiteName } from '../../domain/names/kubernetes-name.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import { planTar, streamTar } from '../layout/tar-plan.ts';
import type { BundleShelf } from '../storage/bundle-shelf.ts';
import { sha256 } from '../trust/ed25519.ts';

/** A bundle as one deterministic tar, any part of which can be sent. */
export interface BundleArchiveStream {
  readonly size: number;
  /** Of the signed statement: the archive's strong validator, as all its bytes follow from it. */
  readonly digest: string;
  /** Bytes from `from` up to, not including, `to`. */
  open(from: number, to: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Hands out bundles. */
export class BundleDesk {
  readonly #shelf: BundleShelf;

  constructor(shelf: BundleShelf) {
    this.#shelf = shelf;
  }

  /** The archive of a published bundle. Throws `BundleNotFound`. */
  async archive(site: SiteName, sequence: number): Promise<BundleArchiveStream> {
    const manifest = await this.#shelf.manifest(site, sequence);
    const index = await this.#shelf.index(site, sequence);
    if (manifest === undefined || index === undefined) {
      throw new Failure('BundleNotFound', { subject: `${site}/${sequence}` });
    }
    const { payload } = parseEnvelope(manifest);
    const statement = parseStatement(parseEnvelope(manifest));
    const roots = (await this.#shelf.roots()).slice(0, statement.roots.length);
    const small = new Map<string, Uint8Array>([
      [manifestFile, manifest],
      ...roots.map(({ version, bytes }): [string, Uint8Array] => [rootFile(version), bytes]),
      [layoutFile, ociLayoutBytes],
      [indexFile, index],
    ]);
    const files = [...small].map(([name, bytes]) => ({ name, size: bytes.byteLength }));
    const blobs = statement.blobs.map((blob) => ({ name: blobFile(blob), size: blob.size }));
    const plan = planTar([...files, ...blobs]);
    const part = (signal?: AbortSignal) => (file: BundleFile, from: number, length: number) =>
      partOf(small.get(file.name), from, length) ?? this.#shelf.store.stream(file.name, from, length, signal);
    return {
      size: plan.size,
      digest: sha256(payload),
      open: (from, to, signal) => streamTar(plan, from, to, part(signal)),
    };
  }
}

function partOf(
  bytes: Uint8Array | undefined,
  from: number,
  length: number,
): AsyncIterable<Uint8Array> | undefined {
  if (bytes === undefined) return undefined;
  const part = bytes.subarray(from, from + length);
  return (async function* once() {
    yield part;
  })();
}
