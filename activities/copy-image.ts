import { activityInfo } from '@temporalio/activity';
import { Failure } from '../domain/failure.ts';
import type { Descriptor } from '../domain/image/descriptor.ts';
import { parseTag } from '../domain/names/tag.ts';
import { wantedOf, type SyncPlan } from '../domain/sync/plan.ts';
import type { CopyPosition } from '../domain/sync/progress.ts';
import type { CopyReport } from '../infra/copy/engine.ts';
import type { SyncDependencies } from './dependencies.ts';
import { sourceEndpoint, targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';
import { openProgressReport } from './progress-report.ts';

/** One image to one site. */
export interface CopyOrder {
  readonly plan: SyncPlan;
  readonly tag: string;
  /** What to copy, resolved once for the whole run. */
  readonly root: Descriptor;
  readonly site: string;
  readonly position: CopyPosition;
  /** Whether a site whose tag is right is checked part by part all the same. */
  readonly recheck: boolean;
}

/**
 * Copies an image to a site: content first, read back, the tag last. May be tried again at any point: what is at the
 * site is not moved again. Right before the tag is written it asks whether its work is still wanted.
 */
export function copyImage(deps: SyncDependencies, order: CopyOrder): Promise<CopyReport> {
  return withHeartbeat(async (signal, pulse) => {
    const { plan, tag, root } = order;
    const source = await sourceEndpoint(deps, { ...plan, usedFrom: plan.claim.ref.namespace });
    const { bandwidth, ...target } = await targetEndpoint(deps, order.site, plan.repository);
    const name = parseTag(tag);
    const progress = openProgressReport(deps, plan.claim, order.position);
    const limits = {
      ...(bandwidth === undefined ? {} : { bandwidth }),
      ...(plan.platforms === undefined ? {} : { platforms: plan.platforms }),
    };
    const count = (ok: boolean): void => deps.pulls.count(source.registry.domain, source.path, ok);
    try {
      const report = await deps.engine.copy(
        { source, root, target, tag: name, sourceTag: name, recheck: order.recheck, ...limits },
        {
          signal,
          fence: () => checkFence(deps, plan),
          onProgress: (bytes) => {
            pulse.tell(bytes);
            progress.tell(bytes);
          },
        },
      );
      count(true);
      return report;
    } catch (error) {
      if (!signal.aborted) count(false);
      throw error;
    } finally {
      await progress.close();
    }
  });
}

/** Throws `Superseded` where the object or what it wants changed, or where this try is not the newest (rule 12). */
async function checkFence(deps: SyncDependencies, { claim }: SyncPlan): Promise<void> {
  const repository = await deps.resources.resource('repositories').get(claim.ref);
  const refuse = (detail: string): never => {
    throw new Failure('Superseded', { side: 'cluster', subject: claim.ref.name, detail });
  };
  if (repository === undefined || repository.metadata.uid !== claim.uid) return refuse('it was deleted');
  if (repository.metadata.deletionTimestamp !== undefined) return refuse('it is being deleted');
  if (wantedOf(repository.spec) !== claim.wanted) return refuse('its spec was changed');
  const { workflowExecution, activityId, attempt } = activityInfo();
  if (workflowExecution === undefined) return undefined;
  const isNewest = await deps.fence.isCurrent({ ...workflowExecution, activityId, attempt });
  return isNewest ? undefined : refuse('another worker took over');
}
