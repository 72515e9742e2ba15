import { Failure } from '../failure.ts';
import { parseDigest } from '../names/digest.ts';
import { parseSiteName } from '../names/kubernetes-name.ts';
import { parseRepositoryPath } from '../names/repository-path.ts';
import { parseTag } from '../names/tag.ts';
import type { StagePlan } from './stage-plan.ts';

/** Reads a plan that was kept in the bucket: every name again by its parser. Throws `BundleNotFound` for none. */
export function parseStagePlan(value: unknown, subject: string): StagePlan {
  if (typeof value !== 'object' || value === null) throw new Failure('BundleNotFound', { subject });
  const plan = value as StagePlan;
  return {
    ...plan,
    site: parseSiteName(plan.site),
    ...(plan.previous === undefined ? {} : { previous: parseMark(plan.previous) }),
    ...(plan.base === undefined ? {} : { base: parseMark(plan.base) }),
    ...(plan.inventory === undefined ? {} : { inventory: parseDigest(plan.inventory) }),
    images: plan.images.map((image) =>
      Object.assign({}, image, {
        repo: parseRepositoryPath(image.repo),
        tag: parseTag(image.tag),
        root: Object.assign({}, image.root, { digest: parseDigest(image.root.digest) }),
      }),
    ),
  };
}

const parseMark = (mark: NonNullable<StagePlan['base']>): NonNullable<StagePlan['base']> => ({
  sequence: mark.sequence,
  digest: parseDigest(mark.digest),
});
