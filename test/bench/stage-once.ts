import { readFileSync } from 'node:fs';
import { parseStagePlan } from '../../domain/bundle/parse-stage-plan.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { BundleStager } from '../../infra/bundle/bundle-stager.ts';
import { inParallel } from '../../infra/copy/in-parallel.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { BundleShelf } from '../../infra/storage/bundle-shelf.ts';
import { ObjectStore } from '../../infra/storage/object-store.ts';
import { signerOf } from '../../infra/trust/ed25519.ts';

/**
 * Stages one bundle as a worker does, without the waits of Temporal, and prints what it made. Who starts it measures it,
 * its start with it, as with the peers; a worker runs already when it is asked. `node stage-once.ts ORDER.json`
 */
interface StageOnce {
  readonly endpoint: string;
  readonly upstream: string;
  readonly plan: unknown;
  readonly signer: string;
  readonly root: string;
}

/** Images that a worker stages at once (`COPY_CONCURRENCY`). */
const imagesAtOnce = 4;

const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as StageOnce;
const plan = parseStagePlan(order.plan, 'order');
const clients = new RegistryClients();
const store = new ObjectStore({ endpoint: order.endpoint, region: 'us-east-1', bucket: 'imageferry' });
const roots = [{ version: 1, bytes: Uint8Array.from(Buffer.from(order.root, 'base64')) }];
const keys = { read: async () => ({ signers: [signerOf(order.signer)], roots }) };
const stager = new BundleStager(new BundleShelf(store), clients, keys);
const registry = { domain: parseRegistryDomain(order.upstream), provider: 'other' };
let moved = 0;
await inParallel(
  plan.images,
  async (image) => {
    const bytes = await stager.stageImage(image, { registry, path: parseRepositoryPath(image.source) });
    moved += bytes;
  },
  imagesAtOnce,
);
const published = await stager.publish(plan);
console.log(JSON.stringify({ moved, digest: published.digest, bytes: published.bytes }));
store.close();
await clients.close();
