import type { Logger } from 'pino';
import { writeProgress } from '../../activities/progress-report.ts';
import { asFailure } from '../../domain/failure.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { syncPercent } from '../../domain/sync/progress.ts';
import { chooseSites } from '../../domain/sync/site-choice.ts';
import { isNews, termsOf, type SiteBeat } from '../../domain/sync/site-terms.ts';
import type { ResourceCache, ResourceClients } from '../../infra/kubernetes/cluster.ts';
import type { SiteCopies, SiteCopyRun } from '../../infra/temporal/site-copies.ts';
import { repeating } from './repeating.ts';

/** What following the copies at sites is handed. */
export interface SiteCopyFollowing {
  readonly clients: ResourceClients;
  readonly caches: {
    cache(plural: 'repositories'): ResourceCache<'repositories'>;
    cache(plural: 'edgesites'): ResourceCache<'edgesites'>;
  };
  readonly copies: SiteCopies;
  readonly log: Logger;
  /** Milliseconds between two looks. Default: 3 s. */
  readonly everyMs?: number;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
}

/** Runs looked at together. */
const looksAtOnce = 8;
/** Milliseconds after which a run is told once more what its copy does not go by yet; each time as long again. */
const tellAgainMs = 30_000;

/** Milliseconds for which it is known what a run was told, where it cannot be looked at. */
const rememberedMs = 600_000;

interface Told {
  readonly generation: number;
  readonly times: number;
  readonly at: number;
}

/**
 * Follows the copies that workers at sites have under way, by what they say with their heartbeats: how far they are goes
 * into the status, and one that goes by an EdgeSite of long ago is told of the newest. So an edit that was missed, whoever
 * was away, is made up for at the next look; and where there is no news, no history grows.
 */
export function followSiteCopies(deps: SiteCopyFollowing): () => void {
  const follower = new SiteCopyFollower(deps);
  const { everyMs = 3000 } = deps;
  const turn = repeating(everyMs, async () => {
    const from = performance.now();
    await follower.look();
    // Where very many run, the looks take a tenth of Temporal's time at most.
    return Math.max(everyMs, 10 * (performance.now() - from));
  });
  return () => turn.stop();
}

class SiteCopyFollower {
  readonly #deps: SiteCopyFollowing;
  /** What runs were told, by run and site. */
  #told = new Map<string, Told>();

  constructor(deps: SiteCopyFollowing) {
    this.#deps = deps;
  }

  async look(): Promise<void> {
    const { caches } = this.#deps;
    const sites = caches.cache('edgesites').list();
    const workers = sites.filter(({ spec }) => spec.worker === true);
    const under = workers.length === 0 ? [] : caches.cache('repositories').list();
    const waiting = under.filter((repository) => isBrought(repository, sites));
    const seen = new Set<string>();
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await this.#follow(next, seen);
    };
    await Promise.all(Array.from({ length: Math.min(looksAtOnce, waiting.length) }, lane));
    const { now = Date.now } = this.#deps;
    const isKept = ([key, { at }]: [string, Told]): boolean => seen.has(key) || now() - at < rememberedMs;
    this.#told = new Map([...this.#told].filter(isKept));
  }

  async #follow({ metadata: { namespace = '', name } }: Repository, seen: Set<string>): Promise<void> {
    const { copies, clients, log } = this.#deps;
    const ref = { namespace, name };
    try {
      const run = await copies.look(ref);
      for (const beat of run?.beats ?? []) {
        await writeProgress({ resources: clients }, { ref, uid: beat.uid }, syncPercent(beat.position, beat));
      }
      if (run !== undefined) await this.#tell(ref, run, seen);
    } catch (error) {
      const { code, message } = asFailure(error);
      log.debug({ namespace, name, code }, `Its copies at sites could not be followed: ${message}`);
    }
  }

  /** Says once, and seldom again, what the EdgeSite says by now to a run with a copy that goes by something older. */
  async #tell(ref: ObjectRef, { runId, beats }: SiteCopyRun, seen: Set<string>): Promise<void> {
    const { caches, copies, now = Date.now } = this.#deps;
    for (const { site, terms: known } of oldestOf(beats)) {
      const edited = caches.cache('edgesites').get({ name: site });
      const key = `${runId} ${site}`;
      seen.add(key);
      if (edited === undefined) continue;
      const terms = termsOf(edited);
      const told = this.#told.get(key);
      const isSaid = told?.generation === terms.generation;
      if (!isNews(terms, known) || (isSaid && now() - told.at < tellAgainMs * told.times)) continue;
      this.#told.set(key, { generation: terms.generation, times: isSaid ? told.times + 1 : 1, at: now() });
      await copies.tell(ref, terms);
    }
  }
}

/** Whether a sync is under way that brings something to a site with a worker of its own. */
const isBrought = ({ spec, status }: Repository, sites: readonly EdgeSite[]): boolean =>
  status?.syncStatus === 'Syncing' &&
  chooseSites(spec, sites).connected.some((site) => site.spec.worker === true);

/** One beat of each site: of several copies there, one that goes by the oldest. */
function oldestOf(beats: readonly SiteBeat[]): readonly SiteBeat[] {
  const oldest = new Map<string, SiteBeat>();
  for (const beat of beats) {
    const other = oldest.get(beat.site);
    if (other === undefined || isNews(other.terms, beat.terms)) oldest.set(beat.site, beat);
  }
  return [...oldest.values()];
}
