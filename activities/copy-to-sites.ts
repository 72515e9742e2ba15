import { asFailure, Failure } from '../domain/failure.ts';
import { parseTag } from '../domain/names/tag.ts';
import type { SyncWindow } from '../domain/resources/edge-site.ts';
import { factsOf, type FailureFacts } from '../domain/sync/failure-facts.ts';
import { isMadeAgain, isOwnTrouble } from '../domain/sync/retry.ts';
import type { CopyOutcome, CopyReport, RepositoryEndpoint } from '../infra/copy/engine.ts';
import { checkFence, type CopyOrder } from './copy-image.ts';
import type { CopyDependencies } from './copy-places.ts';
import { withHeartbeat, type Pulse } from './heartbeat.ts';
import { watchWindow, type Pause, type WindowGate } from './window-gate.ts';

/** One image to several sites whose registries this worker reaches. */
export interface ManyCopyOrder extends Omit<CopyOrder, 'site'> {
  readonly sites: readonly string[];
}

/** What became of one site. */
export type SiteCopy = { readonly site: string } & (
  | { readonly report: CopyReport }
  | { readonly pause: Pause }
  | { readonly failure: FailureFacts }
);

/** A site on its way: where it is, and when it may be filled. */
interface Going {
  readonly site: string;
  readonly endpoint: RepositoryEndpoint;
  readonly gate: WindowGate;
}

/**
 * Copies an image to several sites, reading each layer once. Every site has its own result, limit and window: one that
 * fails, is slow or closes holds up no other. Throws where the image cannot be read, or where something of ours is away:
 * then all is tried again, and what is at a site by then is not moved again.
 */
export function copyImageToSites(deps: CopyDependencies, order: ManyCopyOrder): Promise<readonly SiteCopy[]> {
  return withHeartbeat(async (signal, pulse) => {
    const gates: WindowGate[] = [];
    const gate = (window: () => SyncWindow | undefined): WindowGate => {
      const watched = watchWindow(window, deps.now, signal);
      gates.push(watched);
      return watched;
    };
    try {
      const opened = await Promise.all(order.sites.map((site) => openSite(deps, order, site, gate)));
      const going = opened.filter((each) => 'gate' in each);
      const copied = await copyTo(deps, order, going, { signal, pulse });
      return opened.map((each) => ('gate' in each ? resultOf(each, copied[going.indexOf(each)]) : each));
    } finally {
      for (const each of gates) each.stop();
    }
  });
}

/** The failure that has a site tried again, if any; the first one stands for all. */
export const failureAmong =
  ({ plan, tries = 1 }: ManyCopyOrder) =>
  (copies: readonly SiteCopy[]): FailureFacts | undefined =>
    copies
      .flatMap((copy) => ('failure' in copy ? [copy.failure] : []))
      .find((failure) => isMadeAgain(plan.retry, tries, failure));

async function openSite(
  deps: CopyDependencies,
  { plan, outsideWindow }: ManyCopyOrder,
  site: string,
  watch: (window: () => SyncWindow | undefined) => WindowGate,
): Promise<Going | SiteCopy> {
  try {
    const endpoint = await deps.places.target(site, plan);
    const window = (): SyncWindow | undefined =>
      outsideWindow === true ? undefined : deps.limits.window(site);
    const gate = watch(window);
    const pause = gate.closed();
    return pause === undefined ? { site, endpoint, gate } : { site, pause };
  } catch (error) {
    return { site, failure: factsOf(ours(asFailure(error))) };
  }
}

async function copyTo(
  deps: CopyDependencies,
  order: ManyCopyOrder,
  going: readonly Going[],
  { signal, pulse }: { readonly signal: AbortSignal; readonly pulse: Pulse },
): Promise<readonly CopyOutcome[]> {
  if (going.length === 0) return [];
  const { plan, root, recheck } = order;
  const source = await deps.places.source({ ...plan, usedFrom: plan.claim.ref.namespace });
  const tag = parseTag(order.tag);
  const progress = deps.places.report(plan.claim, order.position, pulse);
  const targets = going.map(({ site, endpoint, gate }) => ({
    endpoint,
    signal: gate.signal,
    limiter: deps.limits.limiter(site),
  }));
  const platforms = plan.platforms === undefined ? {} : { platforms: plan.platforms };
  const count = (ok: boolean): void => deps.pulls.count(source.registry.domain, source.path, ok);
  try {
    const outcomes = await deps.engine.copyToMany(
      { source, root, targets, tag, sourceTag: tag, recheck, ...platforms },
      {
        signal,
        fence: () => checkFence(deps, plan),
        onProgress: (bytes) => {
          progress.tell(bytes);
        },
      },
    );
    if (signal.aborted) throw new Failure('Cancelled', { cause: signal.reason });
    // One image was fetched, for however many sites.
    if (outcomes.some((outcome) => 'report' in outcome)) count(true);
    else if (going.some(({ gate }) => gate.closed() === undefined)) count(false);
    return outcomes;
  } catch (error) {
    if (!signal.aborted) count(false);
    throw error;
  } finally {
    await progress.close();
  }
}

function resultOf({ site, gate }: Going, outcome: CopyOutcome | undefined): SiteCopy {
  if (outcome === undefined) return { site, failure: { code: 'Internal' } };
  if ('report' in outcome) return { site, report: outcome.report };
  const pause = gate.closed();
  if (pause === undefined) return { site, failure: factsOf(ours(outcome.failure)) };
  return { site, pause: { ...pause, bytesMoved: outcome.bytesMoved } };
}

/** Throws what Temporal mends: a cluster that is away says nothing about a site. */
function ours(failure: Failure): Failure {
  if (isOwnTrouble(failure.code)) throw failure;
  return failure;
}
