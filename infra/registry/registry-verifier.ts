import type { RepositoryPath } from '../../domain/names/repository-path.ts';
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
        return await providerAdapter(access.provider).verify({
          access,
          session,
          paths,
          ...(signal === undefined ? {} : { signal }),
        });
      } finally {
        await clients.close();
      }
    },
  };
}
