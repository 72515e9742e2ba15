import type { ImageInspector } from '../infra/copy/image-inspector.ts';
import type { TagParking } from '../infra/copy/tag-parking.ts';
import type { CredentialStore, EventRecorder, ResourceClients } from '../infra/kubernetes/cluster.ts';
import type { Documents } from '../infra/kubernetes/documents.ts';
import type { SiteRegistry } from '../infra/registry/site-registry.ts';
import type { UsageClusters } from '../infra/kubernetes/usage-clusters.ts';
import type { RunFence } from '../infra/temporal/run-fence.ts';
import type { StepAudit } from './step-audit.ts';

/** What planning is handed: nothing in here can delete (faults.md J11). */
export interface PlanningDependencies {
  readonly resources: ResourceClients;
  readonly credentials: CredentialStore;
  readonly inspector: ImageInspector;
  readonly documents: Documents;
  readonly usage: UsageClusters;
  /** What some registries tell and do beyond the distribution spec. */
  readonly registries: SiteRegistry;
  readonly events: EventRecorder;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** What running an approved plan is handed besides. */
export interface ParkingDependencies extends PlanningDependencies {
  readonly parking: TagParking;
  /** Keeps a worker that was frozen and replaced from taking tags away. */
  readonly fence: RunFence;
  readonly audit: StepAudit;
}
