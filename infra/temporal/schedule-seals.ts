import { randomUUID } from 'node:crypto';
import type { Client, ScheduleDescription, ScheduleOptions } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { cleanupSchedules } from '../../domain/lifecycle/ids.ts';
import { stageScheduleId } from '../../domain/bundle/stage-plan.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { resyncSchedules } from '../../domain/sync/ids.ts';
import { stageAction } from './bundle-schedules.ts';
import { sealOf } from './codec.ts';
import { engineCall } from './engine-call.ts';
import { cleanupAction } from './lifecycle-schedules.ts';
import { eachSchedule, parseScheduled, resyncAction } from './schedule.ts';
import { codecOf, sealAttribute } from './seal-attribute.ts';

/** A Schedule that is not sealed with the first key. */
export interface OtherwiseSealed {
  readonly scheduleId: string;
  /** Id of the key that sealed it. Default: none did, or it was made before this was written down. */
  readonly key?: string;
}

/** The seals of our Schedules: what a Schedule starts is sealed once, when it is written. Failures: `EngineUnavailable`. */
export interface ScheduleSeals {
  /** Ids of the keys that this process has, the one that seals first; none where nothing is to be sealed. */
  readonly keys: readonly string[];
  /** Those that are not sealed with the first key; one list, which is empty but after a rotation. May lag seconds behind. */
  otherwise(): Promise<readonly OtherwiseSealed[]>;
  /**
   * Seals one anew; what it starts is known from its id, so that its old key is not needed. All else stays: its times, a
   * pause and its note, what it counts. False where there was nothing to do, or it was changed just then.
   */
  renew(scheduleId: string): Promise<boolean>;
}

/** The actions of the Schedules that start something with arguments, by what their ids begin with. */
const actions: Readonly<Record<string, (rest: string) => ScheduleOptions['action'] | undefined>> = {
  [resyncSchedules]: (rest) => ofObject(rest, resyncAction),
  [cleanupSchedules]: (rest) => ofObject(rest, cleanupAction),
  [stageScheduleId('')]: stageAction,
};

/** Seals over a Temporal client that does not open what is in Schedules. */
export function createScheduleSeals(client: Client): ScheduleSeals {
  const current = codecOf(client)?.keyId;
  return {
    keys: codecOf(client)?.keyIds ?? [],
    otherwise: async () => {
      const found: OtherwiseSealed[] = [];
      for (const prefix of Object.keys(actions))
        await eachSchedule(
          client,
          prefix,
          ({ scheduleId, typedSearchAttributes }) => {
            if (actionOf(scheduleId) === undefined) return;
            const key = typedSearchAttributes?.get(sealAttribute);
            found.push({ scheduleId, ...(key === undefined ? {} : { key }) });
          },
          otherThan(current),
        );
      return found;
    },
    renew: async (scheduleId) => {
      const action = actionOf(scheduleId);
      const present = await engineCall(client, () => client.schedule.getHandle(scheduleId).describe());
      if (action === undefined || present === undefined || isSealedWith(current, present)) return false;
      await write(client, present, action);
      return true;
    },
  };
}

function ofObject(
  rest: string,
  action: (ref: ObjectRef) => ScheduleOptions['action'],
): ScheduleOptions['action'] | undefined {
  const ref = parseScheduled(rest);
  return ref === undefined ? undefined : action(ref);
}

function actionOf(scheduleId: string): ScheduleOptions['action'] | undefined {
  const kind = Object.entries(actions).find(([prefix]) => scheduleId.startsWith(prefix));
  return kind?.[1](scheduleId.slice(kind[0].length));
}

const otherThan = (key: string | undefined): string =>
  key === undefined
    ? `${sealAttribute.name} IS NOT NULL`
    : `${sealAttribute.name} != '${key}' OR ${sealAttribute.name} IS NULL`;

/** What is in it counts, and what is said of it: the list goes by the latter. */
function isSealedWith(key: string | undefined, { raw, typedSearchAttributes }: ScheduleDescription): boolean {
  const { input, userMetadata } = raw.schedule?.action?.startWorkflow ?? {};
  const sealed = [
    ...(input?.payloads ?? []),
    userMetadata?.summary ?? [],
    userMetadata?.details ?? [],
  ].flat();
  return (
    typedSearchAttributes.get(sealAttribute) === key && sealed.every((payload) => sealOf(payload) === key)
  );
}

/**
 * Writes the Schedule as it is but for what is sealed. Temporal takes it only if nobody changed it since it was read: a
 * pause that comes in between is not undone, and the next round tries again.
 */
async function write(
  client: Client,
  { raw, scheduleId }: ScheduleDescription,
  { args = [], staticSummary }: ScheduleOptions['action'],
): Promise<void> {
  const [summary] = staticSummary === undefined ? [] : await sealed(client, [staticSummary]);
  const { schedule, conflictToken, searchAttributes } = raw;
  const { [sealAttribute.name]: _before, ...others } = searchAttributes?.indexedFields ?? {};
  const key = codecOf(client)?.keyId;
  const seal = key === undefined ? {} : { [sealAttribute.name]: defaultPayloadConverter.toPayload(key) };
  const action = {
    ...schedule?.action,
    startWorkflow: {
      ...schedule?.action?.startWorkflow,
      input: { payloads: await sealed(client, args) },
      ...(summary === undefined ? {} : { userMetadata: { summary } }),
    },
  };
  await engineCall(client, () =>
    client.workflowService.updateSchedule({
      namespace: client.options.namespace,
      scheduleId,
      schedule: { ...schedule, action },
      conflictToken: conflictToken ?? null,
      identity: client.options.identity,
      requestId: randomUUID(),
      searchAttributes: { indexedFields: { ...others, ...seal } },
    }),
  );
}

async function sealed(client: Client, values: readonly unknown[]): Promise<Payload[]> {
  const { payloadConverter, payloadCodecs } = client.options.loadedDataConverter;
  let payloads = values.map((value) => payloadConverter.toPayload(value));
  for (const codec of payloadCodecs) payloads = await codec.encode(payloads);
  return payloads;
}
