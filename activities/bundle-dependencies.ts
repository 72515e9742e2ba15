import type { BundleStager } from '../infra/bundle/bundle-stager.ts';
import type { SyncDependencies } from './dependencies.ts';

/** What the steps of a staging are handed. */
export interface BundleDependencies extends Pick<SyncDependencies, 'resources' | 'credentials' | 'engine'> {
  readonly stager: BundleStager;
  /** Epoch milliseconds. */
  readonly now: () => number;
}
