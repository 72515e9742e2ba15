import { setTimeout as sleep } from 'node:timers/promises';
import { humanSize } from '../../../domain/human-size.ts';
import { apiGroup, apiVersion } from '../../../domain/resources/meta.ts';
import type { RegistrySecret } from '../../../domain/resources/registry-secret.ts';
import type { Repository, SyncRecord } from '../../../domain/resources/repository.ts';
import type { Endpoints } from '../endpoints.ts';
import type { Progress } from '../install/progress.ts';
import { elapsed } from '../install/progress.ts';
import type { DemoApi } from './api.ts';
import { demoApi, expecting, repositoryIn } from './api.ts';
import type { Image } from './image.ts';
import { demoImage } from './image.ts';
import { demoRegistry } from './registry.ts';

const path = 'demo/hello';
const tag = '1.0';
const name = 'hello';
const version = `${apiGroup}/${apiVersion}` as const;

/** What the demo saw. */
export interface Shown {
  readonly digest: string;
  /** Bytes compared at the edge. */
  readonly bytes: number;
  readonly sync: SyncRecord;
  /** Milliseconds from the request to the end of the sync, as the user waited. */
  readonly took: number;
}

/** Brings the demo image from `upstream` to `edge` through the API, before the user's eyes, and checks every byte there. */
export async function showMainJob(endpoints: Endpoints, { say, begin }: Progress): Promise<Shown> {
  const { upstream, edge } = endpoints.registries;
  const api = demoApi(endpoints);
  const image = await demoImage({ say, begin });
  const sent = await demoRegistry(upstream).push(path, tag, image);
  say(`  ✓ image ${upstream.domain}/${path}:${tag} is upstream (${sizes(image)}; ${humanSize(sent)} sent)`);
  await ensureRegistrySecret(api, endpoints);
  say(`  ✓ RegistrySecret default/upstream: ${await verify(api)}`);
  const from = performance.now();
  const sync = await syncOnce(api, say);
  const took = performance.now() - from;
  const bytes = await compare(endpoints, image);
  say(`  ✓ read back from ${edge.domain}/${path}:${tag}: ${humanSize(bytes)}, the same byte for byte`);
  return { digest: image.index.digest, bytes, sync, took };
}

const sizes = ({ blobs, manifests }: Image): string =>
  `${manifests.length - 1} platforms, ${blobs.length} blobs, ${humanSize(blobs.reduce((sum, { bytes }) => sum + bytes.length, 0))}`;

/** Made anew where an earlier start, on another port, left one for another address. */
async function ensureRegistrySecret(api: DemoApi, { registries }: Endpoints): Promise<void> {
  const found = await api.get('registry-secrets/upstream');
  if (found.status === 200) {
    if ((found.body as RegistrySecret).spec.domain === registries.upstream.domain) return;
    expecting('delete Repository', await api.delete(`repositories/${name}`), 200, 204, 404);
    expecting('delete RegistrySecret', await api.delete('registry-secrets/upstream?force=true'), 200, 204);
  }
  const body = {
    apiVersion: version,
    kind: 'RegistrySecret',
    metadata: { name: 'upstream' },
    spec: { ...registries.upstream, provider: 'other' },
  };
  expecting('create RegistrySecret', await api.post('registry-secrets', body), 201);
}

async function verify(api: DemoApi): Promise<string> {
  const answer = expecting('verify', await api.post('registry-secrets/upstream/verify', {}), 200);
  const { success, message } = answer.body as { readonly success: boolean; readonly message: string };
  if (!success) throw new Error(`The registry was not verified: ${message}`);
  return message;
}

async function syncOnce(api: DemoApi, say: (line: string) => void): Promise<SyncRecord> {
  const before = await api.get(`repositories/${name}`);
  const known = before.status === 200 ? latest(repositoryIn(before))?.id : undefined;
  if (before.status === 200) {
    expecting('sync', await api.post(`repositories/${name}/sync`, {}), 200);
    say(`  … Repository default/${name} is there from before: syncing it again`);
  } else {
    const spec = { repository: path, tag, registryRef: { name: 'upstream' } };
    const body = { apiVersion: version, kind: 'Repository', metadata: { name }, spec };
    expecting('create Repository', await api.post('repositories', body), 201);
    say(`  … Repository default/${name} is created: its first sync runs`);
  }
  const from = performance.now();
  let shown = '';
  while (performance.now() - from < 180_000) {
    const { status } = repositoryIn(expecting('read', await api.get(`repositories/${name}`), 200));
    const line = `${status?.syncStatus ?? ''} ${status?.syncProgress ?? ''}`.trim();
    if (line !== shown && line !== '') say(`    ${elapsed(performance.now() - from)}  ${line}`);
    shown = line;
    const record = status?.history?.[0];
    if (record !== undefined && record.id !== known) return finished(record, performance.now() - from, say);
    await sleep(150);
  }
  throw new Error('The sync did not end in 3 minutes; see the worker’s log in .local/logs.');
}

const latest = (repository: Repository): SyncRecord | undefined => repository.status?.history?.[0];

function finished(record: SyncRecord, took: number, say: (line: string) => void): SyncRecord {
  if (record.result !== 'Success' && record.result !== 'Unchanged')
    throw new Error(`The sync ended with ${record.result}: ${record.message ?? record.reason ?? ''}`);
  const moved = `${humanSize(record.bytesMoved)} moved, ${humanSize(record.bytesReused)} there already`;
  say(`  ✓ synced to the site edge: ${record.result}, ${moved}, ${elapsed(took)}`);
  return record;
}

async function compare({ registries }: Endpoints, image: Image): Promise<number> {
  const edge = demoRegistry(registries.edge);
  let bytes = 0;
  const same = (what: string, wanted: Buffer, found: Buffer): void => {
    if (!wanted.equals(found)) throw new Error(`${what} is not the same at the edge.`);
    bytes += found.length;
  };
  same(tag, image.index.bytes, await edge.manifest(path, tag));
  for (const { digest, bytes: wanted } of image.manifests)
    same(digest, wanted, await edge.manifest(path, digest));
  for (const { digest, bytes: wanted } of image.blobs) same(digest, wanted, await edge.blob(path, digest));
  return bytes - image.index.bytes.length;
}
