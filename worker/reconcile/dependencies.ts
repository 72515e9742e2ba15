import type { Logger } from 'pino';
import type {
  CredentialStore,
  EventRecorder,
  ResourceCache,
  ResourceClients,
} from '../../infra/kubernetes/cluster.ts';
import type { CredentialWatch } from '../../infra/kubernetes/credential-watch.ts';
import type { WorkflowGateway } from '../../infra/temporal/gateway.ts';

/** Shows how much a queue of a reconciler has to do. */
export interface QueueGauge {
  watch(kind: string, depth: () => number): void;
}

/** What the reconcilers are handed. */
export interface ReconcileDependencies {
  readonly clients: ResourceClients;
  readonly caches: {
    cache(plural: 'repositories'): ResourceCache<'repositories'>;
    cache(plural: 'registrysecrets'): ResourceCache<'registrysecrets'>;
    cache(plural: 'edgesites'): ResourceCache<'edgesites'>;
  };
  readonly credentials: CredentialStore;
  /** The Secrets of RegistrySecrets as they come and go. Default: they are not watched. */
  readonly secrets?: CredentialWatch;
  readonly events: EventRecorder;
  readonly workflows: WorkflowGateway;
  readonly log: Logger;
  /** Default: nobody looks. */
  readonly queues?: QueueGauge;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
  /** Milliseconds between two looks at everything, besides every change. Default: 30 s. */
  readonly sweepMs?: number;
}
