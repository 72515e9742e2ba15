import type { Client } from '@temporalio/client';

/** How large the histories of a workflow are, over all runs that it was continued in. */
export interface HistorySize {
  readonly runs: number;
  /** Events of the longest run. */
  readonly events: number;
  /** Bytes of the largest run, payloads only. */
  readonly bytes: number;
  /** Bytes of the largest payload of all, and which event has it. */
  readonly payload: number;
  readonly payloadOf: string;
  /** How often each activity was scheduled. */
  readonly activities: Readonly<Record<string, number>>;
}

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

const historyOf = (client: Client, workflowId: string, runId: string): Promise<History> =>
  client.workflow.getHandle(workflowId, runId).fetchHistory();

/**
 * The first of the runs that a run goes on from, as the run itself says. A list of runs would not do: Temporal's
 * visibility learns of a run some time after it was started.
 */
export async function firstRunOf(client: Client, workflowId: string, runId: string): Promise<string> {
  const { events } = await historyOf(client, workflowId, runId);
  return events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? runId;
}

/** Measures a workflow from its first run on. */
export async function historySize(
  client: Client,
  workflowId: string,
  firstRunId: string,
): Promise<HistorySize> {
  const activities: Record<string, number> = {};
  const sum = { runs: 0, events: 0, bytes: 0, payload: 0, payloadOf: '' };
  for (let runId: string | undefined = firstRunId; runId !== undefined;) {
    const { events } = await historyOf(client, workflowId, runId);
    const sizes = (events ?? []).map((event) => ({ event, sizes: payloadSizes(event) }));
    sum.runs += 1;
    sum.events = Math.max(sum.events, sizes.length);
    sum.bytes = Math.max(
      sum.bytes,
      sizes.reduce((total, entry) => total + entry.sizes.reduce((a, b) => a + b, 0), 0),
    );
    runId = undefined;
    for (const { event, sizes: own } of sizes) {
      const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
      if (typeof name === 'string') activities[name] = (activities[name] ?? 0) + 1;
      const largest = Math.max(0, ...own);
      if (largest > sum.payload) Object.assign(sum, { payload: largest, payloadOf: kindOf(event) });
      runId = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? runId;
    }
  }
  return { ...sum, activities };
}

const kindOf = (event: object): string =>
  Object.entries(event).find(([key, value]) => key.endsWith('EventAttributes') && value != null)?.[0] ?? '';

/** The sizes of the payloads anywhere in an event. */
function payloadSizes(value: unknown): number[] {
  if (value instanceof Uint8Array) return [value.byteLength];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(payloadSizes);
}
