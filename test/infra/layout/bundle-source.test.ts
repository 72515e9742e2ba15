import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobFile } from '../../../domain/bundle/file-set.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import type { BundleMedium } from '../../../infra/layout/bundle-medium.ts';
import { bundleSources } from '../../../infra/layout/bundle-source.ts';
import { randomBlob, sampleImage, sampleManifest } from '../../support/sample-image.ts';
import { statementOf } from '../../support/signed-samples.ts';

const repo = parseRepositoryPath('edge/app');
const config = randomBlob(20).descriptor;
const signed = Array.from({ length: 40 }, () => {
  const { manifest } = sampleImage([randomBlob(10)]);
  const signature = sampleManifest({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.example.signature',
    config,
    layers: [],
    subject: manifest.descriptor,
  });
  return { image: manifest, signature };
});

/** A medium that holds the signatures and counts how often one is read. */
class CountingMedium implements BundleMedium {
  readonly label = 'counting';
  readonly files = signed.map(({ signature }) => ({
    name: blobFile(signature.descriptor),
    size: signature.bytes.byteLength,
  }));
  reads = 0;

  async read(name: string, from: number, sink: Parameters<BundleMedium['read']>[2]): Promise<void> {
    this.reads += 1;
    const found = signed.find(({ signature }) => blobFile(signature.descriptor) === name);
    await sink(Buffer.from(found?.signature.bytes ?? []).subarray(from));
  }

  withFile(): Promise<never> {
    return assert.fail('no file is held open');
  }

  async close(): Promise<void> {}
}

test('of a repository with many signed images each signature is read once, and found for its own image', async () => {
  const medium = new CountingMedium();
  const parts = signed.map(({ signature }) => ({ ...signature.descriptor, repo }));
  const statement = statementOf({ referrers: parts, blobs: parts, assumed: [] });
  const sources = bundleSources(medium, statement, () => assert.fail('nothing is assumed'));
  const found = await Promise.all(
    signed.map(({ image }) => sources(repo).referrers(image.descriptor.digest)),
  );
  assert.deepEqual(
    found.map((each) => each.map(({ digest }) => digest)),
    signed.map(({ signature }) => [signature.descriptor.digest]),
  );
  assert.equal(medium.reads, signed.length);
});
