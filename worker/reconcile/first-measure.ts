import { arrivals, firstMeasure, type Unmeasured } from '../../domain/lifecycle/first-measure.ts';
import { storageDocument } from '../../domain/lifecycle/ids.ts';
import type { StorageReport } from '../../domain/lifecycle/storage.ts';
import type { ResourceCache } from '../../infra/kubernetes/cluster.ts';
import type { Documents } from '../../infra/kubernetes/documents.ts';
import type { LifecycleSchedules } from '../../infra/temporal/lifecycle-schedules.ts';

/** What looking for sites that nobody measured yet is handed. */
export interface FirstMeasureDependencies {
  readonly caches: {
    cache(plural: 'repositories'): ResourceCache<'repositories'>;
    cache(plural: 'edgesites'): ResourceCache<'edgesites'>;
  };
  readonly documents: Pick<Documents, 'read'>;
  readonly schedules: Pick<LifecycleSchedules, 'measureNow'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** What the sites store is added up every six hours: a site that got its first images is not kept waiting for that. */
export class FirstMeasure {
  readonly #deps: FirstMeasureDependencies;
  #known: ReadonlyMap<string, Unmeasured> = new Map();
  /** Sites that a measurement named: it need not be read again because of them. */
  #measured: ReadonlySet<string> = new Set();

  constructor(deps: FirstMeasureDependencies) {
    this.#deps = deps;
  }

  /** Looks once. Throws `ClusterUnavailable`, `EngineUnavailable`. */
  async look(): Promise<void> {
    const { caches, documents, schedules, now } = this.#deps;
    const all = arrivals(caches.cache('repositories').list(), caches.cache('edgesites').list());
    const arrived = new Map([...all].filter(([site]) => !this.#measured.has(site)));
    if (arrived.size === 0) return;
    const text = await documents.read(storageDocument);
    const report = text === undefined ? undefined : (JSON.parse(text) as StorageReport);
    this.#measured = new Set(report?.lines.map(({ site }) => site));
    const { unmeasured, due } = firstMeasure(this.#known, arrived, report, now());
    if (due) await schedules.measureNow();
    this.#known = unmeasured;
  }
}
