import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { CoreV1Api } from '@kubernetes/client-node';
import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { createResourceClients } from '../../infra/kubernetes/resource-client.ts';
import { lineProgress } from '../../infra/local/install/progress.ts';
import { start, type Running } from '../../infra/local/process.ts';
import { apiProcess, prepareCluster, workerProcess } from '../../infra/local/product.ts';
import { startStack, type Stack } from '../../infra/local/stack.ts';
import { connectTemporal } from '../../infra/temporal/connection.ts';
import { createWorkflowGateway } from '../../infra/temporal/workflow-gateway.ts';
import { keyOf, makeRepositories, namespaces } from './many-repositories.ts';
import { cpuSeconds, memory } from './process-use.ts';

/**
 * What worker and API need for ten thousand Repositories on the real stack: API server, etcd, Temporal.
 * Run: `node test/bench/ten-thousand.ts [repositories] [seconds of load]`. Takes some minutes and 2 GB.
 */
const count = Number(process.argv[2] ?? '10000');
const seconds = Number(process.argv[3] ?? '30');
const perSecond = 100;
const changesPerSecond = 20;
const restSeconds = 60;

const folder = mkdtempSync(join(tmpdir(), 'imageferry-many-'));
const say = (line: string): void => console.log(line);
const { KUBECONFIG: _k, TEMPORAL_ADDRESS: _t, S3_ENDPOINT: _s, ...env } = process.env;
const stack = await startStack({ folder, randomPorts: true, progress: lineProgress(say), env });
const running: Running[] = [];
try {
  await measure(stack);
} finally {
  await Promise.all(running.map((one) => one.stop()));
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure({ endpoints }: Stack): Promise<void> {
  const { tokens } = await prepareCluster(stack, say);
  const cluster = connectCluster(endpoints.kubeconfig);
  const clients = createResourceClients(cluster);
  const core = cluster.makeApiClient(CoreV1Api);
  for (let number = 0; number < namespaces; number += 1)
    await core.createNamespace({ body: { metadata: { name: `team-${number}` } } });
  let from = performance.now();
  await clients.resource('registrysecrets').create({
    apiVersion: `${apiGroup}/${apiVersion}`,
    kind: 'RegistrySecret',
    metadata: { name: 'hub', namespace: 'default' },
    spec: { ...endpoints.registries.upstream, provider: 'other', allowedNamespaces: ['*'] },
  });
  await makeRepositories(clients, count, endpoints.registries.edge.domain);
  say(`${count} Repositories made in ${since(from)} s`);

  const gateway = createWorkflowGateway(
    connectTemporal({ address: endpoints.temporalAddress, namespace: endpoints.temporalNamespace }),
  );
  const scheduled = async (): Promise<void> => {
    // A Temporal that ten thousand schedules keep busy may not answer now and then.
    const there = (): Promise<number> =>
      gateway.scheduledRepositories().then(
        ({ length }) => length,
        () => 0,
      );
    // Listing them takes long itself: only when the worker says that it has nothing left to do.
    do {
      for (let left = await waiting(), turn = 1; left > 0; left = await waiting(), turn += 1) {
        if (turn % 30 === 0) say(`  … ${left} Repositories left to look at`);
        await sleep(1000);
      }
    } while ((await there()) < count);
  };
  from = performance.now();
  const first = await launch(workerProcess(stack));
  say(`worker, first start: ready after ${since(from)} s`);
  await scheduled();
  say(`worker, first start: all schedules after ${since(from)} s, ${use(first)}`);
  await first.stop();

  from = performance.now();
  const worker = await launch(workerProcess(stack));
  say(`worker, second start: ready after ${since(from)} s, ${use(worker)}`);
  await sleep(20_000);
  say(`worker, 20 s later: ${use(worker)}`);

  from = performance.now();
  const api = await launch(apiProcess(stack));
  say(`API: ready after ${since(from)} s, ${use(api)}`);

  await rest(worker, api);
  await load(endpoints.api, tokens.admin, clients);
  say(`after the load: worker ${use(worker)}; API ${use(api)}`);
}

/** Repositories that the worker has still to look at; one while it does not say. */
async function waiting(): Promise<number> {
  const page = await fetch(`http://127.0.0.1:${stack.ports.metrics}/metrics`).then(
    (answer) => answer.text(),
    () => '',
  );
  const depth = /^imageferry_reconcile_queue_depth\{kind="repositories"\} (\d+)$/m.exec(page);
  return Number(depth?.[1] ?? 1);
}

async function launch(spec: Parameters<typeof start>[1]): Promise<Running> {
  const one = await start(folder, spec);
  running.push(one);
  return one;
}

/** A minute in which nobody does anything. */
async function rest(worker: Running, api: Running): Promise<void> {
  const before = [cpuSeconds(worker.pid), cpuSeconds(api.pid), await requests()] as const;
  await sleep(restSeconds * 1000);
  const spent = (at: number, then: number): string => (((at - then) / restSeconds) * 100).toFixed(1);
  say(
    `at rest: worker ${spent(cpuSeconds(worker.pid), before[0])} % of a core, API ${spent(cpuSeconds(api.pid), before[1])} %, ` +
      `${(await requests()) - before[2]} requests to the API server in ${restSeconds} s`,
  );
}

/** Requests about our kinds, Secrets and Events that the API server answered. */
async function requests(): Promise<number> {
  const args = ['--kubeconfig', stack.endpoints.kubeconfig, 'get', '--raw', '/metrics'];
  const { stdout } = await promisify(execFile)('kubectl', args, { maxBuffer: 64 * 1024 * 1024 });
  const lines = stdout.split('\n');
  return lines
    .filter((line) =>
      /^apiserver_request_total\{.*resource="(repositories|registrysecrets|edgesites|imagecleanuppolicies|imagebundles|secrets|events|leases|configmaps)"/.test(
        line,
      ),
    )
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function load(
  url: string,
  token: string,
  clients: ReturnType<typeof createResourceClients>,
): Promise<void> {
  const times: number[] = [];
  const base = `${url}/oapis/image.theriseunion.io/v1alpha1/namespaces`;
  const queries = [
    '_all_/repositories?limit=10',
    'team-3/repositories?limit=50&page=7',
    '_all_/repositories?search=nginx+77',
    '_all_/repositories?name=app-12&limit=20',
    '_all_/repositories?sort=-lastSynced&limit=20',
    '_all_/repositories?status=Failed&limit=100',
  ];
  const headers = { authorization: `Bearer ${token}` };
  const page = async (number: number): Promise<void> => {
    const from = performance.now();
    const response = await fetch(`${base}/${queries[number % queries.length]}`, { headers });
    await response.text();
    if (response.status !== 200) throw new Error(`answered ${response.status}`);
    times.push(performance.now() - from);
  };
  for (let number = 0; number < 50; number += 1) await page(number);
  times.length = 0;
  const change = async (): Promise<void> => {
    for (let number = 0; number < changesPerSecond * seconds; number += 1) {
      await sleep(1000 / changesPerSecond);
      const annotations = { 'theriseunion.io/description': String(number) };
      await clients
        .resource('repositories')
        .patch(keyOf((number * 7919) % count), { metadata: { annotations } });
    }
  };
  const ask = async (): Promise<void> => {
    const calls: Promise<void>[] = [];
    const from = performance.now();
    for (let number = 0; number < perSecond * seconds; number += 1) {
      await sleep(Math.max(0, from + (number * 1000) / perSecond - performance.now()));
      calls.push(page(number));
    }
    await Promise.all(calls);
  };
  await Promise.all([ask(), change()]);
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1);
  say(
    `${times.length} pages at ${perSecond}/s with ${changesPerSecond} changes/s: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
  );
}

function since(from: number): string {
  return ((performance.now() - from) / 1000).toFixed(1);
}

function use({ pid }: Running): string {
  const { now, most } = memory(pid);
  return `${cpuSeconds(pid).toFixed(1)} CPU s, ${now} MiB (at most ${most})`;
}
