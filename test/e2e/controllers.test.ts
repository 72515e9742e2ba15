import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Repository } from '../../domain/resources/repository.ts';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import { pinPatch } from '../../domain/lifecycle/rollback.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import { setCondition, type Condition } from '../../domain/resources/meta.ts';
import { resyncScheduleId, syncWorkflowId } from '../../domain/sync/ids.ts';
import { InterruptedSyncs } from '../../worker/reconcile/interrupted-syncs.ts';
import { ScheduleKeeper } from '../../worker/reconcile/schedules.ts';
import { kubectl } from '../support/kubectl.ts';
import { liveSync, until } from '../support/live-sync.ts';
import { madeImage } from '../support/made-image.ts';
import { endpoints } from '../support/stack.ts';

/** A status never says what is no longer so. */
const { upstream, edge } = endpoints().registries;
const live = liveSync();
const repositories = live.resources.resource('repositories');
let secret = '';
let path = '';

before(async () => {
  secret = await live.secret(upstream);
  path = `test/${live.unique('controllers')}`;
  await demoRegistry(upstream).push(path, '1', madeImage([1000]));
});
after(() => live.close());

const conditionOf = async (name: string, type: string): Promise<Condition | undefined> =>
  (await live.get(name)).status?.conditions?.find((condition) => condition.type === type);

test('O05: writers of one status at the same moment all have their word in it', async () => {
  const name = await live.repository(secret, { repository: path, tag: '1' });
  await live.ended(name);
  const { metadata } = await live.get(name);
  const types = Array.from({ length: 6 }, (_, index) => `Writer${index}`);
  const told = { status: 'True', reason: 'Told', message: '' } as const;
  await Promise.all(
    types.map((type, index) => {
      const change = ({ status }: Repository) => ({
        ...status,
        conditions: setCondition(status?.conditions ?? [], { type, ...told }, '2026-01-01T00:00:00Z'),
      });
      return index % 2 === 0
        ? repositories.updateStatus(metadata, metadata.uid ?? '', change)
        : repositories.changeStatus(metadata, change);
    }),
  );
  const found = (await live.get(name)).status?.conditions?.map(({ type }) => type) ?? [];
  assert.deepEqual(
    types.filter((type) => !found.includes(type)),
    [],
  );
  assert.equal((await live.get(name)).status?.syncStatus, 'Success');
});

test('rollbacks and releases of several tags at the same moment lose no pin and leave none', async () => {
  const [kept, held] = [
    ['old0', 'old1', 'old2'],
    ['new0', 'new1', 'new2'],
  ];
  const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
  const pins = kept.map((tag) => ({ tag, digest }));
  const name = await live.repository(secret, { repository: path, tag: '1', suspend: true, pins });
  await live.ended(name);
  const { metadata } = await live.get(name);
  const change = (tag: string, to: typeof digest | undefined) =>
    repositories.patchAsRead(metadata, metadata.uid ?? '', ({ spec }) => pinPatch(spec, tag, to));
  await Promise.all([
    ...kept.map((tag) => change(tag, undefined)),
    ...held.map((tag) => change(tag, digest)),
  ]);
  assert.deepEqual((await live.get(name)).spec.pins?.map(({ tag }) => tag).sort(), held);
});

test('O13: a Secret that is deleted shows at once on its RegistrySecret and on what uses it', async () => {
  const own = await live.secret(upstream);
  const ref = { namespace: live.namespace, name: own };
  const registrySecrets = live.resources.resource('registrysecrets');
  const name = await live.repository(own, { repository: path, tag: '1' });
  await live.ended(name);
  const verdict = async (): Promise<string | undefined> =>
    (await registrySecrets.get(ref))?.metadata.annotations?.['theriseunion.io/verify-status'];
  await until('the first verdict', async () => ((await verdict()) === 'success' ? true : undefined));
  const deleted = await kubectl(['-n', live.namespace, 'delete', 'secret', `${own}-registry-credential`]);
  assert.equal(deleted.code, 0, deleted.stderr);
  await until('the RegistrySecret', async () => ((await verdict()) === 'failed' ? true : undefined), 20_000);
  const condition = await until('the Repository', () => conditionOf(name, 'CredentialReady'), 20_000);
  assert.deepEqual([condition.status, condition.reason], ['False', 'SecretNotFound']);
  assert.match(condition.message, /凭据 Secret 不存在/);
});

test('a site whose registry moves gets what goes to it, without anybody asking', async () => {
  const site = await live.slowSite(edge.domain, 50_000_000);
  const name = await live.repository(secret, { repository: path, tag: '1', sites: [site] });
  await live.ended(name);
  const registry = { pathPrefix: 'moved' };
  await live.resources.resource('edgesites').patch({ name: site }, { spec: { registry } });
  const { record, object } = await live.ended(name, 2);
  assert.deepEqual([record.trigger, record.result], ['site', 'Success']);
  assert.equal(object.status?.sites?.[0]?.target, `${edge.domain}/moved/${path}`);
  assert.ok((await demoRegistry(edge).manifest(`moved/${path}`, '1')).length > 0);
});

test('a sync that is terminated in Temporal does not stay Syncing', async () => {
  const site = await live.slowSite(edge.domain, 100_000);
  const big = `test/${live.unique('big')}`;
  await demoRegistry(upstream).push(big, '1', madeImage([20_000_000]));
  const name = await live.repository(secret, { repository: big, tag: '1', sites: [site] });
  const ref = { namespace: live.namespace, name };
  await until('the copy', async () => ((await live.copies(ref)) > 0 ? true : undefined));
  await live.temporal.workflow.getHandle(syncWorkflowId(ref)).terminate('by hand');
  // The worker looks after a minute; this one is less patient.
  const impatient = new InterruptedSyncs({ clients: live.resources, workflows: live.gateway }, 0);
  for (let round = 0; round < 2; round += 1) await impatient.sweep([await live.get(name)]);
  const { status } = await live.get(name);
  assert.deepEqual([status?.syncStatus, status?.history?.[0]?.reason], ['Failed', 'SyncInterrupted']);
});

test('S08: a schedule that is paused in Temporal is told of, and stays paused', async () => {
  const name = await live.repository(secret, { repository: path, tag: '1' });
  await live.ended(name);
  const ref = { namespace: live.namespace, name };
  const handle = live.temporal.schedule.getHandle(resyncScheduleId(ref));
  await until('the schedule', async () => ((await live.hasSchedule(ref)) ? true : undefined));
  await handle.pause('maintenance');
  const { metadata } = await live.get(name);
  const caches = { cache: () => ({ get: () => ({ metadata }) }) } as never;
  const keeper = new ScheduleKeeper({ caches, workflows: live.gateway });
  const wanted = { everyMs: 3_600_000, paused: false };
  assert.equal((await keeper.ensure(ref, metadata.uid ?? '', wanted)).heldBy, 'maintenance');
  await repositories.patch(ref, { spec: { syncInterval: '2h' } });
  await live.ended(name, 2);
  assert.equal((await handle.describe()).state.paused, true);
  await handle.unpause();
});
