import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import { readTokenExpiry } from '../../domain/registry/token-claims.ts';
import type { RegistryAccess, RegistryVerifier, VerifyOutcome } from '../copy/engine.ts';
import { providerAdapter } from './adapters/providers.ts';
import type { RegistryLimits } from './registry-client.ts';
import { RegistryClients } from './registry-client.ts';

/** Checks credentials with connections and tokens of its own, so that nothing learned earlier hides a change. */
export function createRegistryVerifier(limits: RegistryLimits = {}): RegistryVerifier {
  return {
    async verify(
      access: RegistryAccess,
      paths: readonly RepositoryPath[],
      signal?: AbortSignal,
    ): Promise<VerifyOutcome> {
      const clients = new RegistryClients(limits);
      try {
        const { session } = clients.of(access);
        const outcome = await providerAdapter(access.provider).verify({
          access,
          session,
          paths,
          ...(signal === undefined ? {} : { signal }),
        });
        return { ...expiryOf(access), ...outcome };
      } finally {
        await clients.close();
      }
    },
  };
}

/** Of a password that is a token and tells when it ends. The registry's own tokens live minutes and are no news. */
function expiryOf({ credential }: RegistryAccess): Pick<VerifyOutcome, 'expires'> {
  const seconds = credential === undefined ? undefined : readTokenExpiry(credential.password);
  return seconds === undefined ? {} : { expires: new Date(seconds * 1000).toISOString() };
}
