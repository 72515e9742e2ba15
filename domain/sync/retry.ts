import { failureCatalogue, type FailureCode } from '../failure-catalogue.ts';
import { isFailureCode } from '../failure.ts';
import { retryable, type FailureFacts } from './failure-facts.ts';
import type { RetryRule } from './plan.ts';

/** Longest wait that doubling leads to, in milliseconds; a registry's own Retry-After may be longer. */
const longestBackoffMs = 600_000;

/**
 * Milliseconds to wait before the next try after `failedTries` tries that failed (1 for the first), or undefined where
 * there is none: the failure is not one that trying again mends, or the tries are used up. A wait that the other side
 * asked for is honoured; `spread` (0 to 1) adds up to a tenth, so that many syncs do not come back in one moment.
 */
export function nextTry(
  rule: RetryRule,
  failedTries: number,
  failure: FailureFacts,
  spread: number,
): number | undefined {
  if (!retryable(failure) || failedTries > rule.retryCount) return undefined;
  const backoff = Math.min(longestBackoffMs, rule.retryIntervalMs * 2 ** (failedTries - 1));
  return Math.round(Math.max(backoff, failure.retryAfterMs ?? 0) * (1 + spread / 10));
}

/** Failures that Temporal itself retries, whoever meets them: something of ours is away, not a registry. */
const ownTrouble: ReadonlySet<FailureCode> = new Set([
  'ClusterUnavailable',
  'EngineUnavailable',
  'AuditUnavailable',
  'Internal',
]);

/** True for a failure that is ours and not a registry's: it costs none of the user's tries. */
export const isOwnTrouble = (code: FailureCode): boolean => ownTrouble.has(code);

/** True where a try that failed so is followed by another, by the Repository's rule or by Temporal. A fault of our own is not told. */
export const isMadeAgain = (rule: RetryRule, failedTries: number, failure: FailureFacts): boolean =>
  failure.code !== 'Internal' &&
  (isOwnTrouble(failure.code) || nextTry(rule, failedTries, failure, 0) !== undefined);

/** Retryable failures of registries: the workflow counts these tries, by the Repository's own rule. */
export const registryRetryCodes: readonly FailureCode[] = Object.keys(failureCatalogue)
  .filter((code) => isFailureCode(code))
  .filter((code) => failureCatalogue[code].class === 'retry' && !ownTrouble.has(code));
