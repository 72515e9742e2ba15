import { failedStatus, shownImage, stagingStatus, withSite } from '../domain/bundle/bundle-status.ts';
import { parseStagePlan } from '../domain/bundle/parse-stage-plan.ts';
import {
  bundleObjectName,
  type StagedImage,
  type StageOrder,
  type StagePlan,
} from '../domain/bundle/stage-plan.ts';
import { counted } from '../domain/counted.ts';
import { asFailure, Failure } from '../domain/failure.ts';
import { parseSiteName } from '../domain/names/kubernetes-name.ts';
import type { ImageBundle, ImageBundleStatus } from '../domain/resources/image-bundle.ts';
import { setCondition } from '../domain/resources/meta.ts';
import { explain, type FailureFacts } from '../domain/sync/failure-facts.ts';
import type { CollectReport } from '../infra/bundle/collect-bundles.ts';
import type { InboxReport } from '../infra/bundle/inbox.ts';
import type { PublishedBundle } from '../infra/bundle/bundle-stager.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { BundleDependencies } from './bundle-dependencies.ts';
import { tellPlan } from './plan-condition.ts';
import { planBundle, type PlannedBundle } from './bundle-plan.ts';
import { sourceEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';
import type { StepFact } from './step-audit.ts';

/** One image of a planned bundle, by its place in the plan. */
export interface StageImageOrder {
  readonly bundle: PlannedBundle;
  readonly index: number;
}

/** The steps of a staging. */
export interface BundleActivities {
  /** `run`: Temporal's id of the run, so that a step that is tried again goes on with the number it took. */
  planBundle(order: StageOrder, run: string): Promise<PlannedBundle>;
  reportStaging(bundle: PlannedBundle, done: number): Promise<void>;
  publishBundle(bundle: PlannedBundle): Promise<PublishedBundle>;
  failBundle(bundle: PlannedBundle, failure: FailureFacts): Promise<void>;
  collectBundles(): Promise<CollectReport>;
  takeSiteMail(): Promise<InboxReport>;
}

/** The steps that ask registries, on the copy queue. */
export interface BundleCopyActivities {
  /** Reckons a bundle's size before any of it is moved. Fails with `QuotaExceeded` where its site could not take it. */
  measureBundle(bundle: PlannedBundle): Promise<void>;
  /** Resolves with bytes moved. */
  stageImage(order: StageImageOrder): Promise<number>;
}

/** Binds the hub's steps to what they need. */
export function createBundleActivities(deps: BundleDependencies): BundleActivities {
  return {
    planBundle: (order, run) =>
      withHeartbeat(async (signal) => {
        await deps.audit.begin(stageFact(order.site));
        return planOrTell(deps, { ...order, run }, signal);
      }),
    reportStaging: async (bundle, done) =>
      writeStatus(deps, bundle, (before) => stagingStatus(before, done, bundle.images)),
    publishBundle: (bundle) => withHeartbeat((signal) => publishBundle(deps, bundle, signal)),
    collectBundles: () =>
      withHeartbeat(() =>
        deps.audit.around({ verb: 'collect', object: { resource: 'imagebundles' } }, () => deps.collect()),
      ),
    takeSiteMail: () =>
      withHeartbeat(() =>
        deps.emptyInbox(({ kind, site, digest }, take) =>
          deps.audit.around({ ...letterFact(kind, site), key: digest }, take),
        ),
      ),
    failBundle: (bundle, failure) => withHeartbeat((signal) => failBundle(deps, bundle, failure, signal)),
  };
}

/** Binds the copying steps to what they need. */
export function createBundleCopyActivities(deps: BundleDependencies): BundleCopyActivities {
  return {
    measureBundle: (bundle) => withHeartbeat((signal) => measureBundle(deps, bundle, signal)),
    stageImage: ({ bundle, index }) =>
      withHeartbeat(async (signal) => {
        const image = (await planOf(deps, bundle)).images[index];
        if (image === undefined) throw new Failure('BundleNotFound', { subject: `${bundle.site}/${index}` });
        return deps.stager.stageImage(image, await sourceOf(deps, image), { signal });
      }),
  };
}

async function measureBundle(
  deps: BundleDependencies,
  bundle: PlannedBundle,
  signal: AbortSignal,
): Promise<void> {
  const plan = await planOf(deps, bundle);
  await deps.stager.measure(plan, (image) => sourceOf(deps, image), signal);
}

const sourceOf = (
  deps: BundleDependencies,
  { registryRef, source: repository, ref }: StagedImage,
): Promise<RepositoryEndpoint> => sourceEndpoint(deps, { registryRef, repository, usedFrom: ref.namespace });

async function publishBundle(
  deps: BundleDependencies,
  bundle: PlannedBundle,
  signal: AbortSignal,
): Promise<PublishedBundle> {
  const plan = await planOf(deps, bundle);
  const published = await deps.stager.publish(plan, signal);
  const now = clock(deps);
  await moveStagedSequence(deps, plan);
  await markRepositories(deps, plan);
  // Last: who sees a staged bundle sees the rest as well.
  await writeStatus(deps, bundle, (before) => stagedStatus(before, published, now));
  await tell(deps, bundle, 'Normal', ready(published.images));
  const { site, sequence, digest } = { ...bundle, digest: published.digest };
  await deps.audit.end(stageFact(site, sequence), {
    images: [{ site, repository: bundleObjectName(site, sequence), digestAfter: digest }],
  });
  return published;
}

/** A stop may come after the signed manifest, from which on the bundle can be fetched: such a one is brought to its end. */
async function failBundle(
  deps: BundleDependencies,
  bundle: PlannedBundle,
  failure: FailureFacts,
  signal: AbortSignal,
): Promise<void> {
  const { shelf } = deps.stager;
  const site = parseSiteName(bundle.site);
  // A manifest of somebody else under this number is none of ours.
  const mayBeOurs = failure.code !== 'SequenceTaken';
  if (mayBeOurs && (await shelf.manifest(site, bundle.sequence)) !== undefined) {
    await publishBundle(deps, bundle, signal);
    return;
  }
  await shelf.markFailed(site, bundle.sequence);
  await writeStatus(deps, bundle, (before) => failedStatus(before, failure, clock(deps)));
  await tell(deps, bundle, 'Warning', explain(failure));
  await deps.audit.end(stageFact(bundle.site, bundle.sequence), { reason: failure.code });
}

const ready = (images: number): string => `ready to be carried: ${counted(images, 'image')}`;

function stagedStatus(
  before: ImageBundleStatus | undefined,
  { digest, images, bytes }: PublishedBundle,
  now: string,
): ImageBundleStatus {
  const message = ready(images);
  const condition = { type: 'Staged', status: 'True' as const, reason: 'Succeeded', message };
  const conditions = setCondition(before?.conditions ?? [], condition, now);
  // A receipt may have come before this step ran once more.
  const phase = before?.phase === 'Acknowledged' ? before.phase : 'Staged';
  return { ...before, phase, progress: '100%', digest, images, bytes, conditions };
}

async function moveStagedSequence(deps: BundleDependencies, { site, sequence }: StagePlan): Promise<void> {
  await deps.resources
    .resource('edgesites')
    .changeStatus({ name: site }, ({ status }) =>
      (status?.stagedSequence ?? 0) >= sequence ? undefined : { ...status, stagedSequence: sequence },
    );
}

/** Says in every Repository that its image is on its way to the site. */
async function markRepositories(deps: BundleDependencies, plan: StagePlan): Promise<void> {
  const byRef = Map.groupBy(plan.images, ({ ref }) => `${ref.namespace}/${ref.name}`);
  for (const images of byRef.values()) {
    const [first] = images;
    if (first === undefined) continue;
    await deps.resources.resource('repositories').changeStatus(first.ref, ({ spec, status }) => {
      const { digest } = shownImage(images, spec.tag)?.root ?? first.root;
      const before = status?.sites ?? [];
      const known = before.find(({ site }) => site === plan.site);
      if (known?.state === 'Synced' && known.digest === digest) return undefined;
      const message = `In bundle ${plan.sequence} / 已进入离线包 ${plan.sequence}`;
      const entry = { site: plan.site, state: 'Staged' as const, digest, message };
      return { ...status, sites: withSite(before, entry) };
    });
  }
}

async function planOf({ stager }: BundleDependencies, { site, sequence }: PlannedBundle): Promise<StagePlan> {
  const plan = await stager.shelf.plan(parseSiteName(site), sequence);
  return parseStagePlan(plan, `${site}/${sequence}`);
}

/** A plan that comes to nothing ends the action here: there is no bundle yet that could fail. */
async function planOrTell(
  deps: BundleDependencies,
  order: Parameters<typeof planBundle>[1],
  signal: AbortSignal,
): Promise<PlannedBundle> {
  try {
    const bundle = await planBundle(deps, order, signal);
    if (bundle.upToDate === true) await deps.audit.end(stageFact(order.site));
    await tellPlan(deps, order.site);
    return bundle;
  } catch (error) {
    const failure = asFailure(error);
    if (!signal.aborted) await tellPlan(deps, order.site, failure);
    if (!failure.retryable) await deps.audit.end(stageFact(order.site), { reason: failure.code });
    throw error;
  }
}

/** As the API tells of a letter that a person brought. */
const letterFact = (kind: 'receipt' | 'inventory', site: string): StepFact => ({
  verb: kind,
  object: { resource: 'imagebundles', subresource: kind, name: site },
  trigger: 'inbox',
});

/** A staging as one action, from the plan to the bundle or the failure. */
function stageFact(site: string, sequence?: number): StepFact {
  const name = sequence === undefined ? {} : { name: bundleObjectName(site, sequence) };
  return { action: 'stage', verb: 'stage', object: { resource: 'imagebundles', ...name } };
}

async function tell(
  deps: BundleDependencies,
  { site, sequence }: PlannedBundle,
  type: 'Normal' | 'Warning',
  message: string,
): Promise<void> {
  const name = bundleObjectName(site, sequence);
  const object = await deps.resources.resource('imagebundles').get({ name });
  if (object === undefined) return;
  const about = { kind: 'ImageBundle', ref: { name }, uid: object.metadata.uid ?? '' };
  await deps.events.record(about, { type, action: 'StageBundle', message });
}

/** Does nothing for an ImageBundle that somebody deleted meanwhile. */
async function writeStatus(
  deps: BundleDependencies,
  { site, sequence }: PlannedBundle,
  to: (before: ImageBundle['status']) => ImageBundleStatus,
): Promise<void> {
  const name = bundleObjectName(site, sequence);
  await deps.resources.resource('imagebundles').changeStatus({ name }, ({ status }) => to(status));
}

const clock = ({ now }: BundleDependencies): string => `${new Date(now()).toISOString().slice(0, 19)}Z`;
