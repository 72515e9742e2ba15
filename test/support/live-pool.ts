import assert from 'node:assert/strict';
import { parseDigest } from '../../domain/names/digest.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag } from '../../domain/names/tag.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { BundleStager } from '../../infra/bundle/bundle-stager.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { createCopyEngine } from '../../infra/registry/registry-copy-engine.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { ObjectStore } from '../../infra/storage/object-store.ts';
import { endpoints } from './stack.ts';

/** The stack's pool, as the environment of a process names it. */
export function poolEnvironment(): Readonly<Record<string, string>> {
  const { s3 } = endpoints();
  return {
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: s3.bucket,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
  };
}

/** Brings an image of the stack's upstream, by tag or digest, into the pool, as staging a bundle does. */
export async function stageInPool(
  path: string,
  reference: string,
  { ref, registryRef }: { readonly ref: ObjectRef; readonly registryRef: ObjectRef },
): Promise<void> {
  const { s3, registries } = endpoints();
  Object.assign(process.env, poolEnvironment());
  const clients = new RegistryClients();
  const store = new ObjectStore(s3);
  const { domain, username, password } = registries.upstream;
  const registry = {
    domain: parseRegistryDomain(domain),
    provider: 'other',
    credential: { username, password },
  };
  const isDigest = reference.includes(':');
  const source = { registry, path: parseRepositoryPath(path) };
  const root = await createCopyEngine(clients).resolve(
    source,
    isDigest ? parseDigest(reference) : parseTag(reference),
  );
  assert.ok(root !== undefined);
  const stager = new BundleStager(new BundleShelf(store), clients, {
    read: async () => ({ signers: [], roots: [] }),
  });
  const image = { ref, registryRef, tag: parseTag(isDigest ? 'v' : reference), root };
  await stager.stageImage({ ...image, source: source.path, repo: source.path }, source);
  await clients.close();
  store.close();
}
