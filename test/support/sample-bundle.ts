import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { planDelta, type AcknowledgedBase } from '../../domain/bundle/delta.ts';
import { blobFile, rootFile } from '../../domain/bundle/file-set.ts';
import { layoutIndex, ociLayoutBytes } from '../../domain/bundle/layout-index.ts';
import { printStatement, statementPayloadType, type BundleStatement } from '../../domain/bundle/statement.ts';
import type { Digest } from '../../domain/names/digest.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { sha256, signEnvelope, type Signer } from '../../infra/trust/ed25519.ts';
import type { StoredManifest } from '../../infra/copy/content.ts';
import type { SampleBlob } from './sample-image.ts';

/** An image of a sample bundle. */
export interface SampleBundleImage {
  readonly repo: string;
  readonly tag: string;
  readonly image: { readonly manifest: StoredManifest; readonly blobs: readonly SampleBlob[] };
}

export interface SampleBundle {
  readonly statement: BundleStatement;
  readonly digest: Digest;
  /** What a later delta may build on. */
  readonly base: AcknowledgedBase;
  /** Every file by its name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** A bundle in memory, right in every part; `changes` are signed along. */
export function sampleBundle(
  images: readonly SampleBundleImage[],
  signers: readonly Signer[],
  roots: readonly Uint8Array[],
  options: { readonly base?: AcknowledgedBase; readonly changes?: Partial<BundleStatement> } = {},
): SampleBundle {
  const plan = planDelta(
    images.map(({ repo, tag, image }) => ({
      ...image.manifest.descriptor,
      repo: parseRepositoryPath(repo),
      tag: parseTag(tag),
      content: [image.manifest.descriptor, ...image.blobs.map(({ descriptor }) => descriptor)],
      referrers: [],
    })),
    options.base,
  );
  const index = layoutIndex(plan.images, plan.referrers);
  const statement: BundleStatement = {
    site: parseSiteName('plant-7'),
    sequence: 1,
    prevSequence: 0,
    createdAt: new Date(Date.now() - 60_000).toISOString(),
    expires: new Date(Date.now() + 86_400_000).toISOString(),
    ...(plan.base === undefined ? {} : { base: plan.base }),
    images: plan.images,
    referrers: plan.referrers,
    blobs: plan.carried,
    assumed: plan.assumed,
    totalBytes: plan.bytes.carried,
    roots: roots.map((bytes, at) => ({ version: at + 1, digest: sha256(bytes) })),
    indexDigest: sha256(index),
    ...options.changes,
  };
  const payload = printStatement(statement);
  const bytesOf = new Map<Digest, Uint8Array>();
  for (const { image } of images) {
    bytesOf.set(image.manifest.descriptor.digest, image.manifest.bytes);
    for (const blob of image.blobs) bytesOf.set(blob.descriptor.digest, blob.bytes);
  }
  const files = new Map<string, Uint8Array>([
    ['manifest.dsse.json', signEnvelope(statementPayloadType, payload, signers)],
    ...roots.map((bytes, at): [string, Uint8Array] => [rootFile(at + 1), bytes]),
    ['oci-layout', ociLayoutBytes],
    ['index.json', index],
    ...plan.carried.map((blob): [string, Uint8Array] => [
      blobFile(blob),
      bytesOf.get(blob.digest) ?? new Uint8Array(),
    ]),
  ]);
  const digest = sha256(payload);
  const content = [...plan.carried, ...plan.assumed];
  return { statement, digest, files, base: { sequence: statement.sequence, digest, content } };
}

/** Writes a bundle's files below a folder. */
export function writeBundle(folder: string, files: ReadonlyMap<string, Uint8Array>): string {
  for (const [name, bytes] of files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return folder;
}
