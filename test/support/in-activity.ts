import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';

/** Runs a step as a worker would, with a heartbeat that nobody listens to. */
export async function inActivity<T>(step: () => Promise<T>): Promise<T> {
  const environment = new MockActivityEnvironment(undefined, { logger: new DefaultLogger('ERROR') });
  return (await environment.run(step)) as T;
}
