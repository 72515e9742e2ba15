import type { CopyOrder } from '../../activities/copy-image.ts';
import type { SiteCopy } from '../../activities/copy-to-sites.ts';
import type { CopyActivities, HubActivities } from '../../activities/index.ts';
import { asFailure } from '../../domain/failure.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import type { SyncOutcome } from '../../domain/sync/outcome.ts';
import type { SyncPlan } from '../../domain/sync/plan.ts';

/** What upstream has. */
export const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
/** Its descriptor. */
export const root = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 500 };
const manifest = { architecture: 'amd64', os: 'linux', size: '1MB', layers: [] };
/** A copy that went well. */
export const report = {
  root: digest,
  bytesRead: 10,
  bytesMoved: 10,
  bytesReused: 5,
  blobsMoved: 1,
  blobsReused: 1,
  manifestsPushed: 1,
  referrers: 0,
  referrersMissing: 0,
};

/** A plan for one image to one site. */
export function planOf(name: string, change: Partial<SyncPlan> = {}): SyncPlan {
  const ref = { namespace: 'default', name };
  return {
    claim: { ref, uid: 'u1', generation: 1, wanted: 'w' },
    domain: 'upstream.example',
    repository: 'a/b',
    tag: 'v1',
    registryRef: { namespace: 'default', name: 'hub' },
    timeoutMs: 600_000,
    retry: { retryCount: 3, retryIntervalMs: 10_000 },
    sites: [{ site: 'edge', queue: 'imageferry-copy' }],
    offlineSites: [],
    missingSites: [],
    selects: false,
    ...change,
  };
}

/** Activities that note how they are called. */
export interface Scene {
  readonly calls: string[];
  readonly outcomes: SyncOutcome[];
  readonly activities: HubActivities & CopyActivities;
}

/** What became of one site of several, as the step for one site decides it. */
async function oneOf(
  copyImage: CopyActivities['copyImage'] | undefined,
  order: CopyOrder,
): Promise<SiteCopy> {
  const { site } = order;
  try {
    const copied = (await copyImage?.(order)) ?? report;
    return 'pausedUntil' in copied ? { site, pause: copied } : { site, report: copied };
  } catch (error) {
    return { site, failure: { code: asFailure(error).code } };
  }
}

/** Activities that work; `change` makes single ones misbehave. */
export function scene(plan: SyncPlan, change: Partial<HubActivities & CopyActivities> = {}): Scene {
  const calls: string[] = [];
  const outcomes: SyncOutcome[] = [];
  const good: HubActivities & CopyActivities = {
    planSync: async () => plan,
    stillWanted: async () => true,
    lookOnSchedule: async () => ({ plan }),
    beginSync: async () => {},
    surveyImages: async () => ({
      images: [{ tag: 'v1', root, current: [], needed: plan.sites.map(({ site }) => site) }],
      total: 1,
    }),
    verifySignature: async () => {},
    copyImage: async () => report,
    copyImageToSites: async ({ sites, ...order }) =>
      Promise.all(sites.map((site) => oneOf(change.copyImage, { ...order, site }))),
    describeImage: async () => manifest,
    recordSync: async (outcome) => {
      outcomes.push(outcome);
      return { changed: false };
    },
    checkConnection: async () => ({ success: true, outcome: { capabilities: [] } }),
    recordConnection: async () => {},
    waitAtSites: async () => {},
    siteOpening: async () => ({ after: 'nothing' }),
  };
  const noted = Object.fromEntries(
    Object.entries({ ...good, ...change }).map(([name, activity]) => [
      name,
      (...args: never[]) => {
        calls.push(name);
        return (activity as (...list: never[]) => unknown)(...args);
      },
    ]),
  );
  return { calls, outcomes, activities: noted as unknown as HubActivities & CopyActivities };
}
