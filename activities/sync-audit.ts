import type { AuditImage } from '../domain/audit/record.ts';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import type { SyncOutcome } from '../domain/sync/outcome.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import type { SurveyedImage } from '../domain/sync/survey.ts';
import type { StepAudit, StepFact } from './step-audit.ts';

/** A sync as one action: asked for, each page of images before it is copied, and how it ended. */
export function syncFact({ claim }: SyncPlan, trigger: SyncTrigger, begun?: string): StepFact {
  const object = { resource: 'repositories', ...claim.ref };
  return { action: 'sync', verb: 'sync', object, trigger, ...(begun === undefined ? {} : { begun }) };
}

/** Tells, before a byte is copied, which tags of which sites will show what. Quiet where nothing will change. */
export async function auditSurvey(
  audit: StepAudit,
  fact: StepFact,
  plan: SyncPlan,
  surveyed: readonly SurveyedImage[],
): Promise<void> {
  const images = surveyed.flatMap(({ tag, root, needed, replaced = [] }) =>
    needed.map((site): AuditImage => {
      const before = replaced.find((one) => one.site === site)?.digest;
      const place = { site, repository: plan.repository, tag };
      return { ...place, ...digests(before, root.digest) };
    }),
  );
  if (images.length > 0) await audit.begin({ ...fact, images }, 'Started');
}

/** Tells how a sync ended. A look on schedule that found nothing to do is no action. */
export async function auditOutcome(audit: StepAudit, outcome: SyncOutcome): Promise<void> {
  const { plan, run, result, tally, failure } = outcome;
  if (run.trigger === 'schedule' && result === 'Unchanged') return;
  const images = tally.shown.flatMap(({ tag, sites }) =>
    sites.flatMap(({ site, copied, digest, failure: trouble }): readonly AuditImage[] => {
      if (copied === undefined) return [];
      const place = { site, repository: plan.repository, tag };
      const reason = trouble === undefined ? {} : { reason: trouble.code };
      return [{ ...place, ...digests(copied.before, digest), ...reason }];
    }),
  );
  const reason = failure === undefined ? {} : { reason: failure.code };
  await audit.end(syncFact(plan, run.trigger, run.begun), { images, ...reason });
}

const digests = (before: string | undefined, after: string | undefined): Partial<AuditImage> => ({
  ...(before === undefined ? {} : { digestBefore: before }),
  ...(after === undefined ? {} : { digestAfter: after }),
});
