import { describeFailure } from '../failure.ts';
import type { ImageBundleStatus } from '../resources/image-bundle.ts';
import { setCondition } from '../resources/meta.ts';
import type { SiteStatus } from '../resources/repository.ts';
import type { FailureFacts } from '../sync/failure-facts.ts';

/** An image that could not be looked up when a bundle was planned, and so is not in it. */
export interface SkippedImage {
  readonly name: string;
  readonly failure: FailureFacts;
}

/** The status of a bundle that is being staged. */
export function stagingStatus(
  before: ImageBundleStatus | undefined,
  done: number,
  images: number,
): ImageBundleStatus {
  const percent = images === 0 ? 100 : Math.floor((done * 100) / images);
  return { ...before, phase: 'Staging', progress: `${percent}%`, images };
}

/** The condition that says whether everything the site should have is in the bundle. */
export function completeness(
  before: ImageBundleStatus | undefined,
  skipped: readonly SkippedImage[],
  now: string,
): ImageBundleStatus {
  const [first] = skipped;
  const words =
    first === undefined
      ? 'Everything the site should have'
      : `${first.name}: ${describeFailure(first.failure.code, {}, 'en')}${skipped.length > 1 ? ` (and ${skipped.length - 1} more)` : ''}`;
  const condition = {
    type: 'Complete',
    status: first === undefined ? ('True' as const) : ('False' as const),
    reason: first?.failure.code ?? 'Succeeded',
    message: words,
  };
  return { ...before, conditions: setCondition(before?.conditions ?? [], condition, now) };
}

/** The status of a bundle that could not be staged. */
export function failedStatus(
  before: ImageBundleStatus | undefined,
  failure: FailureFacts,
  now: string,
): ImageBundleStatus {
  const message = describeFailure(failure.code, failure, 'en');
  const condition = { type: 'Staged', status: 'False' as const, reason: failure.code, message };
  return { ...before, phase: 'Failed', conditions: setCondition(before?.conditions ?? [], condition, now) };
}

/** A Repository's entries with the one of an offline site replaced. */
export function withSite(before: readonly SiteStatus[], entry: SiteStatus): SiteStatus[] {
  return [...before.filter(({ site }) => site !== entry.site), entry];
}
