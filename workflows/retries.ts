import { isCancellation, sleep } from '@temporalio/workflow';
import { explain } from '../domain/sync/failure-facts.ts';
import type { RetryRule } from '../domain/sync/plan.ts';
import { nextTry } from '../domain/sync/retry.ts';
import { factsOfError } from './failure.ts';

/**
 * Tries a step by the Repository's own rule: `retryCount` tries after the first, with waits that double and that are
 * never shorter than a registry asked for. `step` gets the number of the try, 1 for the first. Throws the last failure, or at once one that trying again does not mend.
 */
export async function withRetries<T>(rule: RetryRule, step: (tries: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await step(tries);
    } catch (error) {
      if (isCancellation(error)) throw error;
      const failure = factsOfError(error);
      const wait = nextTry(rule, tries, failure, Math.random());
      if (wait === undefined) throw error;
      await sleep(wait, { summary: `Try ${tries + 1} of ${rule.retryCount + 1} after: ${explain(failure)}` });
    }
  }
}
