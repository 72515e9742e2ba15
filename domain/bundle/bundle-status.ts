import type { ImageBundleStatus } from '../resources/image-bundle.ts';
import { setCondition } from '../resources/meta.ts';
import type { RepositoryStatus, SiteStatus } from '../resources/repository.ts';
import type { StagedImage } from './stage-plan.ts';
import { explain, type FailureFacts } from '../sync/failure-facts.ts';

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
      ? 'Everything the site should have / 站点应有内容均已包含'
      : explain({
          code: first.failure.code,
          subject: first.name,
          ...(skipped.length > 1 ? { detail: `and ${skipped.length - 1} more` } : {}),
        });
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
  const message = explain(failure);
  const condition = { type: 'Staged', status: 'False' as const, reason: failure.code, message };
  return { ...before, phase: 'Failed', conditions: setCondition(before?.conditions ?? [], condition, now) };
}

/** The image of a Repository that its entry for a site speaks of: its own tag's, or else the first. */
export function shownImage(images: readonly StagedImage[], tag: string): StagedImage | undefined {
  return images.find((image) => image.tag === tag) ?? images[0];
}

/**
 * What a Repository says about a site whose receipt proves `digest`; undefined where a newer image is on its way there.
 * Where upstream has a newer one that no bundle carries yet, the site goes on waiting for that.
 */
export function arrivedEntry(
  { sites = [], digest: wanted }: RepositoryStatus,
  site: string,
  digest: string,
  now: string,
): SiteStatus | undefined {
  const known = sites.find((entry) => entry.site === site);
  if (known?.state === 'Staged' && known.digest !== digest) return undefined;
  if (known?.state === 'Pending' && wanted !== undefined && wanted !== digest) {
    return { ...known, digest, confirmed: now };
  }
  return { site, state: 'Synced', digest, confirmed: now };
}

/** A Repository's entries with the one of an offline site replaced. */
export function withSite(before: readonly SiteStatus[], entry: SiteStatus): SiteStatus[] {
  return [...before.filter(({ site }) => site !== entry.site), entry];
}
