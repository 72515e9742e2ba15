import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { parseDuration } from '../../../domain/duration.ts';
import type { Repository } from '../../../domain/resources/repository.ts';
import { resyncScheduleId, syncWorkflowId } from '../../../domain/sync/ids.ts';
import { createResourceClients } from '../../../infra/kubernetes/resource-client.ts';
import { namespace, type Crowd, type Wanted } from './crowd.ts';

/** Where the truth is read. */
export interface Witness {
  readonly cluster: KubeConfig;
  readonly temporal: Client;
}

/** Waits until everything is as the crowd wants it; what is not within `ms` milliseconds, in words. */
export async function whatIsWrong(witness: Witness, crowd: Crowd, ms: number): Promise<readonly string[]> {
  const end = performance.now() + ms;
  for (;;) {
    const wrong = await look(witness, crowd).catch((error: unknown) => [String(error)]);
    if (wrong.length === 0 || performance.now() > end) return wrong;
    await sleep(1000);
  }
}

async function look(witness: Witness, crowd: Crowd): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const wanted of crowd.repositories.values()) {
    const problems = wanted.alive ? await ofLiving(witness, wanted) : await ofDeleted(witness, wanted);
    wrong.push(...problems.map((problem) => `${wanted.name}: ${problem}`));
  }
  for (const [name, exists] of crowd.secrets) {
    const problem = await ofSecret(witness, name, exists);
    if (problem !== undefined) wrong.push(`${name}: ${problem}`);
  }
  return wrong;
}

async function ofLiving({ cluster, temporal }: Witness, wanted: Wanted): Promise<readonly string[]> {
  const { name } = wanted;
  const found = await createResourceClients(cluster).resource('repositories').get({ namespace, name });
  if (found === undefined) return ['is gone'];
  const { metadata, status } = found;
  const schedule = await temporal.schedule
    .getHandle(resyncScheduleId({ namespace, name }))
    .describe()
    .catch(() => undefined);
  const every = schedule?.spec.intervals?.[0]?.every;
  const checks: readonly (readonly [boolean, string])[] = [
    [status?.syncStatus === 'Success', `its status is ${status?.syncStatus ?? 'empty'}`],
    [status?.observedGeneration === metadata.generation, 'its newest spec was not synced'],
    [
      metadata.annotations?.['theriseunion.io/manual-sync-handled'] === wanted.manual,
      'its last request was not handled',
    ],
    [schedule !== undefined, 'it has no schedule'],
    [every === parseDuration(wanted.interval), `its schedule is every ${every} ms, not ${wanted.interval}`],
    [schedule?.state.paused === wanted.suspended, `its schedule is paused: ${schedule?.state.paused}`],
  ];
  return [...checks.flatMap(([good, problem]) => (good ? [] : [problem])), ...doubles(found, wanted)];
}

/** Each request makes one sync at most, and none of them fails: whatever restarts is ours to mend. */
function doubles({ status }: Repository, wanted: Wanted): readonly string[] {
  const history = status?.history ?? [];
  const count = (trigger: string): number => history.filter((record) => record.trigger === trigger).length;
  const most = { create: 1, manual: wanted.manuals, spec: wanted.edits };
  const failed = history.filter(({ result }) => result === 'Failed' || result === 'Cancelled');
  return [
    ...Object.entries(most)
      .filter(([trigger, limit]) => count(trigger) > limit)
      .map(([trigger, limit]) => `${count(trigger)} syncs for ${limit} requests (${trigger})`),
    ...failed.map(({ trigger, result, reason }) => `a sync (${trigger}) ${result}: ${reason}`),
  ];
}

async function ofDeleted({ cluster, temporal }: Witness, { name }: Wanted): Promise<readonly string[]> {
  const found = await createResourceClients(cluster).resource('repositories').get({ namespace, name });
  const hasSchedule = await temporal.schedule
    .getHandle(resyncScheduleId({ namespace, name }))
    .describe()
    .then(
      () => true,
      () => false,
    );
  const run = await temporal.workflow
    .getHandle(syncWorkflowId({ namespace, name }))
    .describe()
    .catch(() => undefined);
  return [
    ...(found === undefined ? [] : ['was deleted and is there']),
    ...(hasSchedule ? ['was deleted and has a schedule'] : []),
    ...(run?.status.name === 'RUNNING' ? ['was deleted and is synced'] : []),
  ];
}

async function ofSecret({ cluster }: Witness, name: string, exists: boolean): Promise<string | undefined> {
  const found = await createResourceClients(cluster).resource('registrysecrets').get({ namespace, name });
  const { items } = await cluster.makeApiClient(CoreV1Api).listNamespacedSecret({ namespace });
  const secret = items.find(({ metadata }) => metadata?.name === `${name}-registry-credential`);
  if (!exists) return secret === undefined ? undefined : 'was deleted and its Secret is there';
  if (secret === undefined) return 'has no Secret';
  if (found?.spec.password !== '<encrypted>') return 'shows its password';
  const verdict = found.metadata.annotations?.['theriseunion.io/verify-status'];
  return verdict === 'success' ? undefined : `is verified as ${verdict}`;
}
