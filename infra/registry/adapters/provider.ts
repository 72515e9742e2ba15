import type { Digest } from '../../../domain/names/digest.ts';
import type { RepositoryPath } from '../../../domain/names/repository-path.ts';
import type { RegistryAccess, VerifyOutcome } from '../../copy/engine.ts';
import type { RegistrySession } from '../session.ts';

/** What an adapter gets to check a credential with. */
export interface VerifyContext {
  readonly access: RegistryAccess;
  readonly session: RegistrySession;
  /** Repositories to look at. May be empty. */
  readonly paths: readonly RepositoryPath[];
  readonly signal?: AbortSignal;
}

/** A site's registry and how to speak to it. */
export interface SiteContext {
  readonly access: RegistryAccess;
  readonly session: RegistrySession;
  readonly signal?: AbortSignal;
}

/**
 * `asked`: it collects. `running`: it does already. `refused`: the credential may not ask. `unsupported`: it has no API for
 * it.
 */
export type GarbageOutcome = 'asked' | 'running' | 'refused' | 'unsupported';

/** An artifact, and when it was last pulled in epoch milliseconds. Default: never. */
export interface PulledArtifact {
  readonly digest: Digest;
  readonly pulled?: number;
}

/** What is special about one kind of registry. */
export interface ProviderAdapter {
  /** The value of `spec.provider`. */
  readonly name: string;
  /** Checks the credential; throws the failure that a person should read. */
  verify(context: VerifyContext): Promise<VerifyOutcome>;
  /** Asks for a garbage collection. Default: it has no API for it. */
  collectGarbage?(context: SiteContext): Promise<GarbageOutcome>;
  /** When the artifacts of a repository were last pulled; complete, or it throws. Default: it does not tell. */
  lastPulls?(context: SiteContext, path: RepositoryPath): Promise<readonly PulledArtifact[]>;
}
