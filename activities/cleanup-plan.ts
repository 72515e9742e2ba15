import { Failure } from '../domain/failure.ts';
import { summarizePlan, type PlanSummary } from '../domain/lifecycle/cleanup-run.ts';
import {
  cleanupTargets,
  imageClaims,
  policyNamespaces,
  reachesBeyond,
  type ImageClaims,
} from '../domain/lifecycle/cleanup-scope.ts';
import type { Protections, UsageFacts } from '../domain/lifecycle/image-version.ts';
import {
  canonicalPlan,
  planHolds,
  type CleanupPlan,
  type PlanHold,
  type PlanItem,
} from '../domain/lifecycle/plan.ts';
import { judgeVersions } from '../domain/lifecycle/retention.ts';
import { freedBytes } from '../domain/lifecycle/storage.ts';
import type { ImageCleanupPolicy } from '../domain/resources/image-cleanup-policy.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { PlanningDependencies } from './cleanup-dependencies.ts';
import { lookAtDocument, planKey, replaceDocument } from './cleanup-documents.ts';
import { surveyTarget, type SurveyedTarget } from './cleanup-survey.ts';
import { withHeartbeat } from './heartbeat.ts';
import { recordUsage } from './usage.ts';

/** Makes a plan, writes it down with its hash, and says what is next. Deletes nothing and has nothing to delete with. */
export function planCleanup(deps: PlanningDependencies, ref: ObjectRef): Promise<PlanSummary> {
  return withHeartbeat(async (signal) => {
    const { version } = await lookAtDocument(deps.documents, planKey(ref));
    const policy = await requirePolicy(deps, ref);
    const plan = await makePlan(deps, policy, signal);
    const hash = await planHash(plan);
    const record = { hash, plan, holds: planHolds(plan), items: [] };
    // A worker that was frozen meanwhile must not write over what became of the plan of the one that took over.
    await replaceDocument(deps.documents, planKey(ref), record, version);
    return summarizePlan(plan, hash, policy.spec, reachesBeyond(policy));
  });
}

/** The policy, or `NotFound`. */
export async function requirePolicy(deps: PlanningDependencies, ref: ObjectRef): Promise<ImageCleanupPolicy> {
  const policy = await deps.resources.resource('imagecleanuppolicies').get(ref);
  if (policy !== undefined) return policy;
  throw new Failure('NotFound', {
    side: 'cluster',
    subject: `ImageCleanupPolicy ${ref.namespace}/${ref.name}`,
  });
}

/** Judges every tag of every image of the policy. One listing that is not believed stops the whole run (faults.md J05). */
export async function makePlan(
  deps: PlanningDependencies,
  policy: ImageCleanupPolicy,
  signal: AbortSignal,
): Promise<CleanupPlan> {
  const [repositories, sites, usage] = await Promise.all([
    deps.resources.resource('repositories').list(),
    deps.resources.resource('edgesites').list(),
    recordUsage(deps),
  ]);
  const namespaces = policyNamespaces(policy);
  const items: PlanItem[] = [];
  const holds: PlanHold[] = [];
  for (const target of cleanupTargets(policy, repositories, sites)) {
    const claims = imageClaims(target.image, repositories, namespaces);
    const surveyed = await surveyTarget(deps, target, claims, signal);
    if ('code' in surveyed) holds.push(surveyed);
    else items.push(...judgeTarget(deps, surveyed, claims, policy, usage));
  }
  return {
    policy: { namespace: policy.metadata.namespace ?? '', name: policy.metadata.name },
    uid: policy.metadata.uid ?? '',
    generation: policy.metadata.generation ?? 0,
    created: new Date(deps.now()).toISOString(),
    items,
    holds,
  };
}

function judgeTarget(
  deps: PlanningDependencies,
  surveyed: SurveyedTarget,
  claims: ImageClaims,
  policy: ImageCleanupPolicy,
  usage: UsageFacts,
): PlanItem[] {
  const { versions, target, path, inspected } = surveyed;
  const tags = versions.map(({ tag }) => tag);
  const protections: Protections = {
    usage,
    rollbackTargets: claims.rollbackTargets,
    declared: new Set([...claims.declared, ...tags.filter(claims.wantedElsewhere)]),
    absentSubjects: surveyed.absentSubjects,
    syncing: claims.syncing ? new Set(tags) : new Set(),
    // Bundles are for sites whose registry is out of reach: what they carry is never cleaned from here.
    bundled: new Set(),
  };
  const question = { image: target.image, versions, policy: policy.spec, protections, now: deps.now() };
  const verdicts = judgeVersions(question);
  const imagesOf = (action: 'keep' | 'delete') =>
    verdicts.filter((verdict) => verdict.action === action).flatMap(({ tag }) => inspected.get(tag) ?? []);
  const freed = freedBytes(imagesOf('keep'), imagesOf('delete'))[Symbol.iterator]();
  const ids = new Map(versions.map(({ tag, names, children }) => [tag, [...names, ...children]]));
  return verdicts.map((verdict): PlanItem => {
    const place = { site: target.site, path, image: target.image };
    if (verdict.action === 'keep') return Object.assign(verdict, place, { ids: [], bytes: 0 });
    return Object.assign(verdict, place, { ids: ids.get(verdict.tag) ?? [], bytes: freed.next().value ?? 0 });
  });
}

/** SHA-256 over the plan's canonical text, as hex. */
export async function planHash(plan: CleanupPlan): Promise<string> {
  const bytes = new TextEncoder().encode(canonicalPlan(plan));
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
