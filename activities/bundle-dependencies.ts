import type { BundleStager } from '../infra/bundle/bundle-stager.ts';
import type { CollectReport } from '../infra/bundle/collect-bundles.ts';
import type { AroundLetter, InboxReport } from '../infra/bundle/inbox.ts';
import type { SyncDependencies } from './dependencies.ts';
import type { SignatureDependencies } from './verify-signature.ts';

/** What the steps of a staging are handed. */
export interface BundleDependencies
  extends
    Pick<SyncDependencies, 'resources' | 'credentials' | 'engine' | 'documents' | 'events' | 'audit'>,
    SignatureDependencies {
  readonly stager: BundleStager;
  /** One pass over bundles and pool. */
  readonly collect: () => Promise<CollectReport>;
  /** One pass over what sites put into the bucket's inbox. */
  readonly emptyInbox: (around: AroundLetter) => Promise<InboxReport>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}
