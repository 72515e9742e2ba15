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

/** What is special about one kind of registry. */
export interface ProviderAdapter {
  /** The value of `spec.provider`. */
  readonly name: string;
  /** Checks the credential; throws the failure that a person should read. */
  verify(context: VerifyContext): Promise<VerifyOutcome>;
}
