import type { Descriptor } from '../domain/image/descriptor.ts';
import { parseTag } from '../domain/names/tag.ts';
import type { SyncWindow } from '../domain/resources/edge-site.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import type { CopyPosition } from '../domain/sync/progress.ts';
import type { CopyReport } from '../infra/copy/engine.ts';
import type { CopyDependencies } from './copy-places.ts';
import { withHeartbeat } from './heartbeat.ts';
import { requireCurrentTry } from './step-fence.ts';
import { withinWindow, type Pause } from './window-gate.ts';

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
  /** Whether the copy may run while the site's sync window is closed. Default: false. */
  readonly outsideWindow?: boolean;
  /** Which try this is. Default: 1. */
  readonly tries?: number;
}

/**
 * Copies an image to a site: content first, read back, the tag last. May be tried again at any point: what is at the
 * site is not moved again. Right before the tag is written it asks whether its work is still wanted. Stops when the site's
 * sync window closes, and says when that opens again.
 */
export function copyImage(deps: CopyDependencies, order: CopyOrder): Promise<CopyReport | Pause> {
  return withHeartbeat(async (signal, pulse) => {
    const { plan, tag, root } = order;
    const source = await deps.places.source({ ...plan, usedFrom: plan.claim.ref.namespace });
    const target = await deps.places.target(order.site, plan);
    const name = parseTag(tag);
    const progress = deps.places.report(plan.claim, order.position, pulse);
    const limits = {
      limiter: deps.limits.limiter(order.site),
      ...(plan.platforms === undefined ? {} : { platforms: plan.platforms }),
    };
    const count = (ok: boolean): void => deps.pulls.count(source.registry.domain, source.path, ok);
    const window = (): SyncWindow | undefined =>
      order.outsideWindow === true ? undefined : deps.limits.window(order.site);
    let bytesMoved = 0;
    try {
      const from = plan.sites.find(({ site }) => site === order.site)?.source ?? 'upstream';
      const named = { tag: name, sourceTag: name };
      const request = { source, root, target, ...named, recheck: order.recheck, from, ...limits };
      const report = await withinWindow(window, deps.now, signal, (inWindow) =>
        deps.engine.copy(request, {
          signal: inWindow,
          fence: () => checkFence(deps, plan),
          onProgress: (bytes) => {
            bytesMoved = bytes.movedBytes;
            progress.tell(bytes);
          },
        }),
      );
      // What the pool gave was no pull.
      if ('pausedUntil' in report) return { ...report, bytesMoved };
      if (report.servedBy !== 'pool') count(true);
      return report;
    } catch (error) {
      if (!signal.aborted) count(false);
      throw error;
    } finally {
      await progress.close();
    }
  });
}

/** Asked right before the tag is written: is the object unchanged, and is this try the newest (rule 12, fault G06)? */
export async function checkFence(deps: CopyDependencies, { claim }: SyncPlan): Promise<void> {
  await deps.places.stillWanted(claim);
  await requireCurrentTry(deps.fence, claim.ref.name);
}
