import type { Repository } from '../domain/resources/repository.ts';
import type { ConnectionTurn } from '../domain/sync/verification.ts';
import type { CopyEngine, RegistryVerifier } from '../infra/copy/engine.ts';
import type { CredentialStore, EventRecorder, ResourceClients } from '../infra/kubernetes/cluster.ts';
import type { Documents } from '../infra/kubernetes/documents.ts';
import type { RunFence } from '../infra/temporal/run-fence.ts';
import type { StepAudit } from './step-audit.ts';

/** Counts images fetched from a registry; `image` is a repository's path. */
export interface PullCounter {
  count(registry: string, image: string, succeeded: boolean): void;
}

/** Counts connections to registries that were lost or came back. */
export interface ConnectionCounter {
  count(registrySecret: string, turn: ConnectionTurn): void;
}

/** What the activities of a sync are handed. */
export interface SyncDependencies {
  readonly resources: ResourceClients;
  readonly credentials: CredentialStore;
  readonly engine: CopyEngine;
  readonly events: EventRecorder;
  /** Where cleanup remembers what it took from selectors. */
  readonly documents: Documents;
  readonly fence: RunFence;
  readonly pulls: PullCounter;
  readonly audit: StepAudit;
  /** Now, RFC 3339 UTC with seconds. */
  readonly clock: () => string;
}

/** What the activities of a verification are handed. */
export interface VerifyDependencies extends Pick<
  SyncDependencies,
  'resources' | 'credentials' | 'events' | 'clock'
> {
  readonly verifier: RegistryVerifier;
  /** The Repositories of all namespaces, as they are watched. */
  readonly repositories: () => readonly Repository[];
  readonly connections: ConnectionCounter;
  readonly audit: StepAudit;
}
