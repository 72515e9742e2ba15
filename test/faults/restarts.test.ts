import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { createResourceClients } from '../../infra/kubernetes/resource-client.ts';
import { connectTemporal } from '../../infra/temporal/connection.ts';
import { madeImage } from '../support/made-image.ts';
import { Crowd, namespace } from '../support/restarts/crowd.ts';
import { RestartableServers, type Ending } from '../support/restarts/servers.ts';
import { whatIsWrong } from '../support/restarts/verdict.ts';

/** The full run is `IMAGEFERRY_RESTARTS=200 npm test -- test/faults/restarts.test.ts`. */
const restarts = Number(process.env['IMAGEFERRY_RESTARTS'] ?? '6');
/** A new object is taken up within this time after a restart, in milliseconds. */
const takenUpWithinMs = 30_000;

let servers: RestartableServers;
before(async () => {
  servers = await RestartableServers.start();
});
after(() => servers.stop());

test(`O01, O17: ${restarts} restarts of API server, etcd, Temporal and workers miss nothing and double nothing`, async (t) => {
  const { endpoints } = servers.stack;
  const cluster = connectCluster(endpoints.kubeconfig);
  const clients = createResourceClients(cluster);
  const paths = ['test/one', 'test/two', 'test/three'];
  for (const path of paths)
    await demoRegistry(endpoints.registries.upstream).push(path, '1', madeImage([5000, 50_000]));
  const crowd = new Crowd(clients, paths, endpoints.registries.upstream);
  await crowd.createSecret('hub');

  const enough = new AbortController();
  const bustle = crowd.bustle(enough.signal);
  const waits: number[] = [];
  for (let round = 1; round <= restarts; round += 1) {
    if (round === Math.ceil(restarts / 2)) await servers.add('worker-2');
    await restartSome();
    const wait = await takenUp(`probe-${round}`);
    waits.push(wait);
    if (round % 10 === 0)
      t.diagnostic(`${round} restarts, longest wait ${Math.round(Math.max(...waits))} ms`);
  }
  enough.abort();
  await bustle;

  const { temporalAddress: address, temporalNamespace } = endpoints;
  const temporal = connectTemporal({ address, namespace: temporalNamespace });
  const wrong = await whatIsWrong({ cluster, temporal }, crowd, 120_000);
  await temporal.connection.close();
  waits.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(waits[Math.floor(share * (waits.length - 1))] ?? 0);
  t.diagnostic(
    `${crowd.repositories.size} Repositories, taken up after ${at(0.5)} ms (median), ${at(1)} ms (longest)`,
  );
  assert.deepEqual(wrong, []);
  assert.deepEqual(servers.complaints, []);
  assert.ok(at(1) < takenUpWithinMs, `${at(1)} ms`);

  /** Milliseconds until a new Repository is taken up. */
  async function takenUp(name: string): Promise<number> {
    const from = performance.now();
    await crowd.create(name);
    const created = performance.now();
    for (;;) {
      const found = await clients
        .resource('repositories')
        .get({ namespace, name })
        .catch(() => undefined);
      if (found?.status?.observedGeneration !== undefined) return performance.now() - created;
      // Somebody deleted it meanwhile.
      if (crowd.repositories.get(name)?.alive === false) return 0;
      if (performance.now() - from > 3 * takenUpWithinMs) return performance.now() - created;
      await sleep(100);
    }
  }
});

/** One, or now and then two at the same moment. */
async function restartSome(): Promise<void> {
  await sleep(randomInt(1500));
  const others = [...servers.targets];
  const chosen = Array.from({ length: randomInt(4) === 0 ? 2 : 1 }, () =>
    others.splice(randomInt(others.length), 1),
  ).flat();
  await Promise.all(
    chosen.map((target) => {
      const ending: Ending = randomInt(2) === 0 ? 'SIGKILL' : 'SIGTERM';
      return servers.restart(target, ending);
    }),
  );
  await servers.revive();
}
