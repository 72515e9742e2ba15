import type { FailureCode } from '../failure.ts';
import type { ObjectRef } from '../resources/meta.ts';
import type { RetentionVerdict } from './image-version.ts';

/** Beyond this many deletions, and this part of an image's tags, a plan waits for approval (faults.md J07). */
export const guardItems = 10;
export const guardShare = 0.1;
/** An approval is good for this long after the plan was made. */
export const approvalWindowMs = 86_400_000;
/** A listing that lost more than this part since the last run is not believed (faults.md J05). */
const believableLoss = 0.1;

/** A tag in a plan: where it is and what happens to it. */
export type PlanItem = RetentionVerdict & {
  readonly site: string;
  /** The image's path upstream. */
  readonly image: string;
  /** Its path at the site. */
  readonly path: string;
  /** Names and digests besides its own by which Pods may use it; empty for what is kept. */
  readonly ids: readonly string[];
  /** Bytes that no kept tag of the image needs; 0 where another deletion already counts them. */
  readonly bytes: number;
};

/** Everything a cleanup run looked at. */
export interface CleanupPlan {
  readonly policy: ObjectRef;
  /** Uid and generation of the policy that was judged by. */
  readonly uid: string;
  readonly generation: number;
  /** RFC 3339 UTC. */
  readonly created: string;
  readonly items: readonly PlanItem[];
  /** What stopped the run before any verdict counted. Default: nothing. */
  readonly holds: readonly PlanHold[];
}

/** Why a plan may not run, or not without approval. */
export interface PlanHold {
  readonly code: FailureCode;
  readonly site: string;
  readonly path: string;
  readonly detail: string;
}

export type Deletion = Extract<PlanItem, { readonly action: 'delete' }>;

/** The items that would be deleted: attachments before what they hang on, so that a cut-off run leaves no orphan. */
export function deletions(plan: CleanupPlan): Deletion[] {
  return plan.items
    .filter((item): item is Deletion => item.action === 'delete')
    .sort((a, b) => Number(b.reason === 'SubjectGone') - Number(a.reason === 'SubjectGone'));
}

/**
 * The text that a plan's hash is taken over: policy, generation and the exact deletions, in one order. Its time is left
 * out, so that the same deletions found again are the same plan.
 */
export function canonicalPlan(plan: CleanupPlan): string {
  const lines = deletions(plan).map(({ site, path, tag, digest }) =>
    JSON.stringify([site, path, tag, digest]),
  );
  return [
    JSON.stringify([plan.policy.namespace, plan.policy.name, plan.uid, plan.generation]),
    ...lines.sort(),
  ].join('\n');
}

/** A smaller listing is believed once it has been so for this long: then it was no slip of the registry. */
export const doubtMs = 86_400_000;

/** A listing as the registry gave it, and what we know to compare it with. */
export interface ListingFacts {
  readonly count: number;
  /** Tags in the last complete listing. Default: there was none. */
  readonly previous?: number;
  /** Tags that we placed and believe to be there. */
  readonly placed: number;
  /** A listing no larger than this one was doubted before, so many milliseconds ago. Default: none was. */
  readonly doubtedForMs?: number;
}

/** Why a listing is not believed; undefined where it is. Errors while listing are `ListingIncomplete` before this. */
export function judgeListing(facts: ListingFacts): FailureCode | undefined {
  if ((facts.doubtedForMs ?? 0) >= doubtMs) return undefined;
  const before = Math.max(facts.previous ?? 0, facts.placed > 0 ? 1 : 0);
  if (facts.count === 0 && before > 0) return 'ListingSuspicious';
  return facts.count < before * (1 - believableLoss) ? 'ListingIncomplete' : undefined;
}

/**
 * What holds a plan: everything found while listing, unknown usage wherever it alone saved a tag, and `DeleteGuard` for
 * each image that would lose more than {@link guardItems} tags and more than {@link guardShare} of them.
 */
export function planHolds(plan: CleanupPlan): PlanHold[] {
  const images = [...Map.groupBy(plan.items, ({ site, path }) => `${site}\n${path}`).values()];
  return [...plan.holds, ...images.flatMap(imageHolds)];
}

/** A hold of the whole run: its cause has to be mended. A damaged image holds only itself, the guard asks for approval. */
export const stopsRun = ({ code }: PlanHold): boolean => code !== 'DeleteGuard' && code !== 'ImageDegraded';

/** True where approving the plan is enough to run it; other holds need their cause mended. */
export const approvalSuffices = (holds: readonly PlanHold[]): boolean => !holds.some(stopsRun);

/** Failures that say that content is damaged, and nothing about the registry. */
const damageCodes: ReadonlySet<FailureCode> = new Set([
  'ManifestNotFound',
  'InvalidManifest',
  'AmbiguousManifest',
  'MediaTypeMismatch',
  'UnsupportedMediaType',
  'ManifestTooLarge',
  'DigestMismatch',
  'SizeMismatch',
  'InvalidDigest',
  'UnsupportedDigestAlgorithm',
]);

/** Whether an image that fails so holds itself alone: what it consists of is not known, and all of it stays. */
export const isDamage = (code: FailureCode): boolean => damageCodes.has(code);

function imageHolds(items: readonly PlanItem[]): PlanHold[] {
  const [first] = items;
  if (first === undefined) return [];
  const at = { site: first.site, path: first.path };
  const going = items.filter(({ action }) => action === 'delete').length;
  const blind = items.filter(({ reason }) => reason === 'UsageUnknown').length;
  const over = going > guardItems && going > items.length * guardShare;
  return [
    ...(blind > 0 ? [{ ...at, code: 'UsageUnknown' as const, detail: `${blind} tags` }] : []),
    ...(over ? [{ ...at, code: 'DeleteGuard' as const, detail: `${going} of ${items.length} tags` }] : []),
  ];
}
