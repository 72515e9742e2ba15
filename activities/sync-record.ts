import { Failure } from '../domain/failure.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import { onlyMetadata, type SyncOutcome } from '../domain/sync/outcome.ts';
import { isWanted, planSync as decide, type SyncPlan } from '../domain/sync/plan.ts';
import { endedStatus, syncingStatus } from '../domain/sync/status.ts';
import { describeOutcome, imageName } from '../domain/sync/words.ts';
import type { SyncDependencies } from './dependencies.ts';
import { auditOutcome, syncFact } from './sync-audit.ts';

/** What a run may know after it has recorded its end. */
export interface Recorded {
  /** Whether what the object wants by now differs from what the run did. */
  readonly changed: boolean;
}

/** Reads the resources and decides what to do. Undefined where there is no such Repository (any more). */
export async function planSync(deps: SyncDependencies, ref: ObjectRef): Promise<SyncPlan | undefined> {
  const repository = await deps.resources.resource('repositories').get(ref);
  if (repository === undefined || repository.metadata.deletionTimestamp !== undefined) return undefined;
  const { registryRef } = repository.spec;
  const [sites, secret] = await Promise.all([
    deps.resources.resource('edgesites').list(),
    deps.resources
      .resource('registrysecrets')
      .get({ namespace: registryRef.namespace ?? ref.namespace, name: registryRef.name }),
  ]);
  return decide(repository, sites, secret);
}

/** Says in the status that a sync runs. */
export async function beginSync(
  deps: SyncDependencies,
  plan: SyncPlan,
  trigger: SyncTrigger,
  begun?: string,
): Promise<void> {
  if (trigger !== 'schedule') await deps.audit.begin(syncFact(plan, trigger, begun));
  const { ref, uid } = plan.claim;
  const isThere = await deps.resources
    .resource('repositories')
    .updateStatus(ref, uid, ({ status }) => syncingStatus(status, plan, trigger, deps.clock()));
  if (!isThere) throw new Failure('Superseded', { side: 'cluster', detail: 'it was deleted' });
}

/** Writes status, Event and audit record. May run again: the same outcome changes nothing more. */
export async function recordSync(deps: SyncDependencies, outcome: SyncOutcome): Promise<Recorded> {
  const recorded = await tellOutcome(deps, outcome);
  await auditOutcome(deps.audit, outcome);
  return recorded;
}

/** Does nothing for an object that is gone. */
async function tellOutcome(deps: SyncDependencies, outcome: SyncOutcome): Promise<Recorded> {
  const { claim } = outcome.plan;
  const { ref, uid } = claim;
  let changed = false;
  const isThere = await deps.resources.resource('repositories').updateStatus(ref, uid, ({ spec, status }) => {
    changed = !isWanted(claim, spec);
    return endedStatus(status, outcome);
  });
  if (!isThere) return { changed: false };
  await announce(deps, outcome);
  return { changed };
}

/** An Event for whatever a person may want to know of: no quiet scheduled sync, no run that a newer one replaced. */
async function announce(deps: SyncDependencies, outcome: SyncOutcome): Promise<void> {
  const { plan, run, result } = outcome;
  if (outcome.failure?.code === 'Superseded') return;
  if (run.trigger === 'schedule' && result === 'Unchanged' && !onlyMetadata(outcome)) return;
  await deps.events.record(
    { kind: 'Repository', ref: plan.claim.ref, uid: plan.claim.uid },
    {
      type: outcome.failure === undefined ? 'Normal' : 'Warning',
      action: 'Sync',
      message: `${result}: ${imageName(plan)}: ${describeOutcome(outcome)}`,
    },
  );
}
