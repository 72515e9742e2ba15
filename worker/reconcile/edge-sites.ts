import type { Logger } from 'pino';
import { asFailure } from '../../domain/failure.ts';
import { edgeSiteWish, waitingFor } from '../../domain/reconcile/edge-site.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import type { EventRecorder, ResourceCache, ResourceClients } from '../../infra/kubernetes/cluster.ts';
import type { BundleGateway } from '../../infra/temporal/bundle-gateway.ts';
import type { BundleSchedules } from '../../infra/temporal/bundle-schedules.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { takeServed } from './served-annotations.ts';

/** What reconciling of EdgeSites is handed. */
export interface EdgeSiteReconcileDependencies {
  readonly clients: ResourceClients;
  readonly caches: {
    cache(plural: 'edgesites'): ResourceCache<'edgesites'>;
    cache(plural: 'repositories'): ResourceCache<'repositories'>;
  };
  readonly events: EventRecorder;
  readonly gateway: BundleGateway;
  readonly schedules: BundleSchedules;
  readonly log: Logger;
  /** Milliseconds between two looks at everything, besides every change. Default: 60 s. */
  readonly sweepMs?: number;
  /** Milliseconds for which syncs are let come in before their bundle is staged. Default: 30 s. */
  readonly settleMs?: number;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
}

/** Milliseconds after which a staging is asked for again although nothing new waits: the first may have failed. */
const askAgainMs = 3_600_000;

/** Follows EdgeSites: their schedules of bundles, bundles asked for, bundles after syncs. Returns what stops it. */
export function startEdgeSiteReconciler(deps: EdgeSiteReconcileDependencies): () => Promise<void> {
  const onFailure = (key: string, error: unknown): void => {
    const { code, message } = asFailure(error);
    deps.log.warn({ key, code }, `Reconciling failed, will be tried again: ${message}`);
  };
  const reconciler = new EdgeSiteReconciler(deps);
  const queue = new KeyedQueue((name) => reconciler.reconcile(name), { onFailure });
  const sites = deps.caches.cache('edgesites');
  sites.onChange(({ metadata }) => queue.add(metadata.name));
  deps.caches.cache('repositories').onChange(({ status }) => {
    for (const { site, state } of status?.sites ?? []) if (state === 'Pending') queue.add(site);
  });
  const sweep = async (): Promise<void> => {
    for (const { metadata } of sites.list()) queue.add(metadata.name);
    for (const name of await deps.schedules.scheduledSites()) {
      if (sites.get({ name }) === undefined) queue.add(name);
    }
  };
  const look = (): void => void sweep().catch((error: unknown) => onFailure('schedules', error));
  look();
  const timer = setInterval(look, deps.sweepMs ?? 60_000);
  return async () => {
    clearInterval(timer);
    await queue.stop();
  };
}

class EdgeSiteReconciler {
  readonly #deps: EdgeSiteReconcileDependencies;
  /** What waited for a site when a bundle was last asked for because of it, and when. A restart asks once more. */
  readonly #asked = new Map<string, { readonly waiting: string; readonly at: number }>();

  constructor(deps: EdgeSiteReconcileDependencies) {
    this.#deps = deps;
  }

  async reconcile(name: string): Promise<void> {
    const { caches, clients, schedules } = this.#deps;
    // What is watched may be behind; a schedule that is made anew would forget that somebody paused it.
    const site =
      caches.cache('edgesites').get({ name }) ?? (await clients.resource('edgesites').get({ name }));
    if (site === undefined || site.metadata.deletionTimestamp !== undefined) {
      this.#asked.delete(name);
      return schedules.deleteStage(name);
    }
    await this.#serve(site);
    await this.#stageAfterSync(site);
  }

  async #serve(site: EdgeSite): Promise<void> {
    const { schedules, gateway, clients, events } = this.#deps;
    const { name, uid = '' } = site.metadata;
    const wish = edgeSiteWish(site);
    if (wish.cron === undefined) await schedules.deleteStage(name);
    else await schedules.ensureStage(name, wish.cron);
    if (wish.stage !== undefined) await gateway.startStage({ site: name, kind: wish.stage });
    for (const message of wish.problems) {
      const event = { type: 'Warning' as const, action: 'StageBundle', message };
      await events.record({ kind: 'EdgeSite', ref: { name }, uid }, event);
    }
    if (Object.keys(wish.handled).length === 0) return;
    await takeServed(clients.resource('edgesites'), { name }, site, Object.keys(wish.handled));
  }

  /** Syncs come in crowds: what they found is staged together, a moment later. */
  async #stageAfterSync(site: EdgeSite): Promise<void> {
    const { caches, gateway, now = Date.now, settleMs = 30_000 } = this.#deps;
    const { name } = site.metadata;
    const waiting = waitingFor(site, caches.cache('repositories').list());
    if (waiting === '') return void this.#asked.delete(name);
    const asked = this.#asked.get(name);
    if (asked?.waiting === waiting && now() - asked.at < askAgainMs) return;
    const run = await gateway.startStage({ site: name, kind: 'delta', trigger: 'sync' }, settleMs);
    // One that runs already may have been planned before this came: the next look asks again.
    if (!run.alreadyRunning) this.#asked.set(name, { waiting, at: now() });
  }
}
