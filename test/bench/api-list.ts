import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { serveApi } from '../../api/server.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { base, inProcessApi, newRepository } from '../support/api-in-process.ts';

/**
 * How long a page of a list takes with 10,000 Repositories at 100 calls a second while 20 of them change each second.
 * Over a real socket; what is in memory is the informer's cache, which is what lists are answered from in production.
 * Run: `node test/bench/api-list.ts [seconds] [pages a second]`.
 */
const repositories = 10_000;
const perSecond = Number(process.argv[3] ?? '100');
const changesPerSecond = 20;
const seconds = Number(process.argv[2] ?? '20');
const load = join(import.meta.dirname, 'page-load.ts');

const api = inProcessApi();
const client = api.cluster.resource('repositories');
for (let number = 0; number < repositories; number += 1) await client.create(repository(number));

const server = await serveApi(api.app, '127.0.0.1', 0);
const args = [`${server.url}${base}`, String(perSecond * seconds), String(perSecond)];
const loading = promisify(execFile)(process.execPath, [load, ...args], { env: { TOKEN: 'admin-token' } });
const before = process.cpuUsage();
const [{ stdout }] = await Promise.all([loading, change()]);
const { user, system } = process.cpuUsage(before);
await server.close(0);
const perPage = (user + system) / 1000 / (perSecond * seconds);
console.log(
  `${repositories} repositories, ${stdout.trim()}; ${perPage.toFixed(2)} ms of the API's processor time for each`,
);

async function change(): Promise<void> {
  for (let number = 0; number < changesPerSecond * seconds; number += 1) {
    await sleep(1000 / changesPerSecond);
    const { metadata } = repository((number * 7919) % repositories);
    const key = { namespace: metadata.namespace ?? '', name: metadata.name };
    await client.applyStatus(key, '', { syncStatus: 'Syncing', syncProgress: `${number % 100}%` });
  }
}

function repository(number: number): Repository {
  const { spec } = newRepository('x', { repository: `library/app-${number}`, tag: `v${number % 40}` });
  return {
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'Repository',
    metadata: {
      name: `${number % 3 === 0 ? 'nginx' : 'app'}-${number}`,
      namespace: `team-${number % 10}`,
      annotations: { 'theriseunion.io/display-name': `Image ${number}` },
    },
    spec,
    status: {
      syncStatus: number % 20 === 0 ? 'Failed' : 'Success',
      domain: 'harbor.example.com',
      lastSynced: new Date(1_700_000_000_000 + number * 1000).toISOString(),
      manifest: {
        architecture: 'amd64',
        os: 'linux',
        size: '142MB',
        layers: Array.from({ length: 8 }, (_, layer) => ({
          digest: `sha256:${String(layer).repeat(64)}`,
          size: '1048576',
        })),
      },
    },
  };
}
