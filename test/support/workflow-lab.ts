import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { failureInterceptor } from '../../activities/failure-interceptor.ts';
import { copyTaskQueue, hubTaskQueue, searchAttributes } from '../../domain/sync/ids.ts';

/** Where the workflows are bundled from. */
export const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

/** Whether the time-skipping server is at hand: `npm test` installs it and names it here. */
export const testServer = process.env['TEMPORAL_TEST_SERVER'];

/** A Temporal server that skips time, with the real workflows and the activities of a test. */
export interface WorkflowLab {
  readonly env: TestWorkflowEnvironment;
  /**
   * Runs work while workers poll both queues with these activities; those left out are not there. `interceptors`: modules
   * that stand between the workflows and the server. Default: none.
   */
  run<T>(activities: object, work: () => Promise<T>, interceptors?: readonly string[]): Promise<T>;
}

let lab: Promise<WorkflowLab> | undefined;

/** The lab of this process: one server and one bundle for all tests of a file. */
export function workflowLab(): Promise<WorkflowLab> {
  lab ??= openLab();
  return lab;
}

/** Stops the server. */
export async function closeLab(): Promise<void> {
  await (await lab)?.env.teardown();
}

async function openLab(): Promise<WorkflowLab> {
  if (testServer === undefined) throw new Error('TEMPORAL_TEST_SERVER names no server: run npm test');
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: testServer } },
  });
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, 2])),
  });
  const bundle = (workflowInterceptorModules: string[] = []) =>
    bundleWorkflowCode({ workflowsPath, workflowInterceptorModules, logger: new DefaultLogger('ERROR') });
  const plain = await bundle();
  return {
    env,
    async run(activities, work, interceptors) {
      const workflowBundle = interceptors === undefined ? plain : await bundle([...interceptors]);
      const shared = {
        connection: env.nativeConnection,
        activities,
        interceptors: { activity: [failureInterceptor(() => undefined)] },
        maxHeartbeatThrottleInterval: '500ms',
      };
      // first the one that may be refused: a worker that was made and never ran holds the connection, and the file hangs
      const hasActivities = Object.keys(activities).length > 0;
      const copy = hasActivities ? await Worker.create({ ...shared, taskQueue: copyTaskQueue }) : undefined;
      const hub = await Worker.create({ ...shared, taskQueue: hubTaskQueue, workflowBundle });
      return hub.runUntil(copy === undefined ? work : copy.runUntil(work));
    },
  };
}
