import type { AuditImage } from '../domain/audit/record.ts';
import { Failure } from '../domain/failure.ts';
import type { Descriptor } from '../domain/image/descriptor.ts';
import {
  decideRollback,
  pinOf,
  pinPatch,
  rollbackSites,
  type RollbackDecision,
  type RollbackRequest,
} from '../domain/lifecycle/rollback.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { Repository, RepositorySpec } from '../domain/resources/repository.ts';
import { explain, type FailureFacts } from '../domain/sync/failure-facts.ts';
import { chooseSites } from '../domain/sync/site-choice.ts';
import type { PooledImages } from '../infra/bundle/pooled-images.ts';
import type { CopyEngine, RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { SiteLimits } from '../infra/copy/site-limits.ts';
import type { TagMover } from '../infra/copy/tag-mover.ts';
import type { CredentialStore, EventRecorder, ResourceClients } from '../infra/kubernetes/cluster.ts';
import { sourceEndpoint, targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';
import type { StepAudit, StepFact } from './step-audit.ts';
import { requireSignature, type SignatureDependencies } from './verify-signature.ts';

/** What the steps of a rollback are handed. */
export interface RollbackDependencies extends SignatureDependencies {
  readonly resources: ResourceClients;
  readonly credentials: CredentialStore;
  readonly engine: CopyEngine;
  readonly mover: TagMover;
  /** Images that were staged for bundles. */
  readonly pool: PooledImages;
  readonly events: EventRecorder;
  readonly audit: StepAudit;
  readonly limits: SiteLimits;
}

/** Where a site gets the earlier version from: its own store, the pool of bundles, or upstream; the first that has it. */
export interface SiteRollback {
  readonly site: string;
  readonly from: 'site' | 'pool' | 'upstream';
  /** What to copy; left out where the site has it. */
  readonly root?: Descriptor;
}

/** A rollback that was found to be possible at every site. */
export interface RollbackPlan extends RollbackDecision {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly sites: readonly SiteRollback[];
}

/** How a rollback ended: with a plan that was carried out, or with a failure. */
export interface RollbackOutcome {
  readonly plan?: RollbackPlan;
  readonly failure?: FailureFacts;
}

/** The steps of a rollback. */
export interface RollbackActivities {
  planRollback(ref: ObjectRef, request: RollbackRequest): Promise<RollbackPlan>;
  fenceTag(plan: RollbackPlan): Promise<void>;
  rollBackSite(plan: RollbackPlan, site: SiteRollback): Promise<void>;
  reportRollback(ref: ObjectRef, outcome: RollbackOutcome): Promise<void>;
}

/** Binds the steps of a rollback. */
export function createRollbackActivities(deps: RollbackDependencies): RollbackActivities {
  return {
    planRollback: (ref, request) => planRollback(deps, ref, request),
    fenceTag: (plan) => fenceTag(deps, plan),
    rollBackSite: async (plan, site) =>
      deps.audit.around(await siteFact(deps, plan, site), () => rollBackSite(deps, plan, site)),
    reportRollback: (ref, outcome) => reportRollback(deps, ref, outcome),
  };
}

/**
 * Decides, and finds the content before anything is touched: the whole graph at the site, else in the pool, else
 * upstream. Throws `RollbackTargetMissing` where one site can get it from nowhere (faults.md G13).
 */
function planRollback(
  deps: RollbackDependencies,
  ref: ObjectRef,
  request: RollbackRequest,
): Promise<RollbackPlan> {
  return withHeartbeat(async (signal) => {
    const repository = await requireRepository(deps, ref);
    const decision = decideRollback(repository, request);
    const all = chooseSites(repository.spec, await deps.resources.resource('edgesites').list());
    const chosen = rollbackSites(decision, all);
    const source = await sourceOf(deps, ref, repository);
    const sites: SiteRollback[] = [];
    const targets: RepositoryEndpoint[] = [];
    for (const { metadata } of chosen.connected) {
      const target = await targetEndpoint(deps, metadata.name, repository.spec.repository);
      targets.push(target);
      sites.push(await findContent(deps, { site: metadata.name, target, source, decision, signal }));
    }
    // Bundles bring it to these: only that it can be had is found out here.
    for (const { metadata } of chosen.offline)
      await findContent(deps, { site: metadata.name, source, decision, signal });
    const { verification } = repository.spec;
    const places = source === undefined ? targets : [source, ...targets];
    await requireSignature(deps, { ref, verification, places, digest: decision.to, signal });
    return { ...decision, ref, uid: repository.metadata.uid ?? '', sites };
  });
}

interface Search {
  readonly site: string;
  /** Default: the site cannot be asked. */
  readonly target?: RepositoryEndpoint;
  readonly source: RepositoryEndpoint | undefined;
  readonly decision: RollbackDecision;
  readonly signal: AbortSignal;
}

async function findContent(deps: RollbackDependencies, search: Search): Promise<SiteRollback> {
  const { site, target, source, decision, signal } = search;
  if (target !== undefined && (await isWhole(deps, target, decision, signal))) return { site, from: 'site' };
  const pooled = await deps.pool.find(decision.to, signal);
  if (pooled !== undefined) return { site, from: 'pool', root: pooled };
  const root = source === undefined ? undefined : await deps.engine.resolve(source, decision.to, signal);
  if (root !== undefined) return { site, from: 'upstream', root };
  throw new Failure('RollbackTargetMissing', {
    side: 'destination',
    subject: `${decision.tag}@${decision.to}`,
    detail: `neither site ${site} nor the pool nor upstream has it`,
  });
}

/** Missing or damaged parts are an answer; a registry that cannot be asked is a failure. */
async function isWhole(
  deps: RollbackDependencies,
  target: RepositoryEndpoint,
  { to }: RollbackDecision,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    if ((await deps.engine.resolve(target, to, signal)) === undefined) return false;
    await deps.engine.verifyGraph(target, to, { signal });
    return true;
  } catch (error) {
    if (error instanceof Failure && !error.retryable && error.code !== 'Cancelled') return false;
    throw error;
  }
}

/** Upstream is one of two sources: where its credential is gone, the site's own store may still do. */
async function sourceOf(
  deps: RollbackDependencies,
  ref: ObjectRef,
  { spec }: Repository,
): Promise<RepositoryEndpoint | undefined> {
  try {
    return await sourceEndpoint(deps, {
      registryRef: { namespace: spec.registryRef.namespace ?? ref.namespace, name: spec.registryRef.name },
      repository: spec.repository,
      usedFrom: ref.namespace,
    });
  } catch (error) {
    if (error instanceof Failure && !error.retryable) return undefined;
    throw error;
  }
}

/** Pins the tag before it is moved, so that no resync in between or after undoes it. Idempotent. */
async function fenceTag(deps: RollbackDependencies, plan: RollbackPlan): Promise<void> {
  const { ref, uid, tag, to, chosen } = plan;
  const repository = await requireRepository(deps, ref, uid);
  const { spec } = repository;
  const images = (chosen ?? [undefined]).map((site) => pinnedImage(spec, plan, site));
  const fact = { verb: 'pin', object: { resource: 'repositories', ...ref }, images };
  await deps.audit.around(fact, async () => {
    const repositories = deps.resources.resource('repositories');
    const fenced = await repositories.patchAsRead(ref, uid, (now) => pinPatch(now.spec, tag, to, chosen));
    if (fenced === undefined) throw new Failure('Superseded', { side: 'cluster', subject: ref.name });
  });
}

/** What a tag was held at and is held at now, at a site or at all. */
function pinnedImage(spec: RepositorySpec, { tag, to }: RollbackPlan, site: string | undefined): AuditImage {
  const before = pinOf(spec, tag, site);
  return {
    ...(site === undefined ? {} : { site }),
    repository: spec.repository,
    tag,
    ...(before === undefined ? {} : { digestBefore: before }),
    digestAfter: to,
  };
}

async function siteFact(
  deps: RollbackDependencies,
  { ref, uid, tag, from, to }: RollbackPlan,
  { site }: SiteRollback,
): Promise<StepFact> {
  const { repository } = (await requireRepository(deps, ref, uid)).spec;
  const before = from === undefined ? {} : { digestBefore: from };
  const image = { site, repository, tag, ...before, digestAfter: to };
  return { verb: 'rollback', object: { resource: 'repositories', ...ref }, images: [image] };
}

/** Puts the tag back at one site. */
function rollBackSite(deps: RollbackDependencies, plan: RollbackPlan, site: SiteRollback): Promise<void> {
  return withHeartbeat(async (signal) => {
    const repository = await requireRepository(deps, plan.ref, plan.uid);
    const { limiting, ...target } = await targetEndpoint(deps, site.site, repository.spec.repository);
    if (site.root === undefined) return deps.mover.move(target, plan.tag, plan.to, signal);
    const { platforms } = repository.spec;
    const options = {
      target,
      tag: plan.tag,
      ...(platforms === undefined ? {} : { platforms }),
      limiter: deps.limits.learn(site.site, limiting).limiter(site.site),
    };
    if (site.from === 'pool') return void (await deps.pool.copy(plan.to, options, signal));
    const source = await sourceOf(deps, plan.ref, repository);
    if (source === undefined) throw new Failure('RegistrySecretNotFound', { side: 'cluster' });
    await deps.engine.copy({ source, root: site.root, ...options }, { signal });
    return undefined;
  });
}

/** Tells people by an Event; the status is the sync's to write. */
async function reportRollback(
  deps: RollbackDependencies,
  ref: ObjectRef,
  { plan, failure }: RollbackOutcome,
): Promise<void> {
  if (failure !== undefined)
    await deps.audit.end(
      { verb: 'rollback', object: { resource: 'repositories', ...ref } },
      { reason: failure.code },
    );
  const repository = await deps.resources.resource('repositories').get(ref);
  if (repository === undefined) return;
  const where = plan?.chosen === undefined ? '' : ` (${plan.chosen.join(', ')})`;
  const done =
    plan === undefined
      ? ''
      : `${plan.tag} is back at ${plan.to}${where} and stays there until it is released`;
  await deps.events.record(
    { kind: 'Repository', ref, uid: repository.metadata.uid ?? '' },
    {
      type: failure === undefined ? 'Normal' : 'Warning',
      action: 'Rollback',
      message: failure === undefined ? done : explain(failure),
    },
  );
}

async function requireRepository(
  deps: RollbackDependencies,
  ref: ObjectRef,
  uid?: string,
): Promise<Repository> {
  const repository = await deps.resources.resource('repositories').get(ref);
  if (repository === undefined)
    throw new Failure('NotFound', { side: 'cluster', subject: `Repository ${ref.namespace}/${ref.name}` });
  if (uid !== undefined && repository.metadata.uid !== uid)
    throw new Failure('Superseded', { side: 'cluster', subject: ref.name });
  return repository;
}
