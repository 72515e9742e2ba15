import type { Logger } from 'pino';
import type { Plural } from '../domain/resources/kinds.ts';
import type { CopyEngine, RegistryVerifier } from '../infra/copy/engine.ts';
import type { AuditOutbox, AuditReader } from '../infra/audit/audit-log.ts';
import type {
  AccessReviewer,
  CredentialStore,
  EventRecorder,
  ResourceCache,
  ResourceClients,
} from '../infra/kubernetes/cluster.ts';
import type { PayloadOpener } from '../infra/temporal/codec-endpoint.ts';
import type { Documents } from '../infra/kubernetes/documents.ts';
import type { BundleDesk } from '../infra/bundle/bundle-desk.ts';
import type { SiteMail } from '../infra/bundle/site-mail.ts';
import type { BundleGateway } from '../infra/temporal/bundle-gateway.ts';
import type { LifecycleGateway } from '../infra/temporal/lifecycle-gateway.ts';
import type { WorkflowGateway } from '../infra/temporal/gateway.ts';

/** The caches that lists are answered from. */
export interface ResourceCaches {
  cache<P extends Plural>(plural: P): ResourceCache<P>;
}

/** What the lifecycle's routes need. */
export interface LifecycleDependencies {
  readonly gateway: LifecycleGateway;
  readonly documents: Pick<Documents, 'read'>;
  readonly engine: Pick<CopyEngine, 'resolve' | 'describe'>;
}

/** What the bundles' routes need. */
export interface BundleRouteDependencies {
  readonly desk: BundleDesk;
  readonly mail: SiteMail;
  readonly gateway: BundleGateway;
}

/** How many calls a caller may make. */
export interface RateLimits {
  /** Calls a second in the long run. Default: 200. */
  readonly perSecond?: number;
  /** Calls at once after a quiet time. Default: 1000. */
  readonly burst?: number;
}

/** All that the API is handed; `main.ts` and tests construct it. */
export interface ApiDependencies {
  readonly clients: ResourceClients;
  readonly caches: ResourceCaches;
  readonly credentials: CredentialStore;
  readonly events: EventRecorder;
  readonly access: AccessReviewer;
  readonly workflows: WorkflowGateway;
  readonly lifecycle: LifecycleDependencies;
  /** Default: bundles are answered with `StorageUnavailable`. */
  readonly bundles?: BundleRouteDependencies;
  /** Opens sealed payloads. Default: payloads are not sealed. */
  readonly payloads?: PayloadOpener;
  /** Origin of Temporal's UI, whose pages may read opened payloads. Default: no page may. */
  readonly codecOrigin?: string;
  readonly audit: { readonly outbox: AuditOutbox; readonly reader: AuditReader };
  readonly verifier: RegistryVerifier;
  /** Names that `spec.provider` may have. */
  readonly providers: readonly string[];
  /** Resolves where the API can serve, throws a Failure that says what is missing. */
  readonly ready: () => Promise<void>;
  /** Address of a run's page in Temporal's UI. Default: answers carry no link. */
  readonly workflowUrl?: (workflowId: string, runId: string) => string;
  /** Milliseconds for which no worker was heard of. Default: 0, somebody else looks after that. */
  readonly workerSilenceMs?: () => number;
  readonly log: Logger;
  /** The time, for tests. Default: the system's clock. */
  readonly now?: () => Date;
  readonly rateLimits?: RateLimits;
}
