import { setTimeout as sleep } from 'node:timers/promises';
import { serveApi } from '../../api/server.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { base, inProcessApi, newRepository } from '../support/api-in-process.ts';

/**
 * How long a page of a list takes with 10,000 Repositories at 100 calls a second while 20 of them change each second.
 * Over a real socket; what is in memory is the informer's cache, which is what lists are answered from in production.
 * Run: `node test/bench/api-list.ts [seconds]`.
 */
const repositories = 10_000;
const perSecond = 100;
const changesPerSecond = 20;
const seconds = Number(process.argv[2] ?? '20');

const queries = [
  'limit=10',
  'limit=50&page=7',
  'search=nginx+77',
  'name=app-12&limit=20',
  'sort=-lastSynced&limit=20',
  'status=Failed&limit=100',
  'limit=500',
];

const api = inProcessApi();
const client = api.cluster.resource('repositories');
for (let number = 0; number < repositories; number += 1) await client.create(repository(number));

const server = await serveApi(api.app, '127.0.0.1', 0);
const url = `${server.url}${base}/namespaces`;
const headers = { authorization: 'Bearer admin-token' };
const times: number[] = [];
await Promise.all([load(), change()]);
await server.close(0);
times.sort((a, b) => a - b);
const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1);
console.log(
  `${times.length} pages of ${repositories} repositories: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
);

async function load(): Promise<void> {
  const calls: Promise<void>[] = [];
  const start = performance.now();
  for (let number = 0; number < perSecond * seconds; number += 1) {
    await sleep(Math.max(0, start + (number * 1000) / perSecond - performance.now()));
    calls.push(page(number));
  }
  await Promise.all(calls);
}

async function page(number: number): Promise<void> {
  const namespace = number % 3 === 0 ? `team-${number % 10}` : '_all_';
  const start = performance.now();
  const response = await fetch(`${url}/${namespace}/repositories?${queries[number % queries.length]}`, {
    headers,
  });
  await response.text();
  if (response.status !== 200) throw new Error(`answered ${response.status}`);
  times.push(performance.now() - start);
}

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
