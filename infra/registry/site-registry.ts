import type { Digest } from '../../domain/names/digest.ts';
import type { RegistryAccess, RepositoryEndpoint } from '../copy/engine.ts';
import type { GarbageOutcome, SiteContext } from './adapters/provider.ts';
import { providerAdapter } from './adapters/providers.ts';
import type { RegistryClients } from './registry-client.ts';

/** What some registries can do beyond the distribution spec, and most cannot. */
export interface SiteRegistry {
  /** Asks for a garbage collection; `unsupported` where only its operator can start one. */
  collectGarbage(access: RegistryAccess, signal?: AbortSignal): Promise<GarbageOutcome>;
  /** Whether it tells when images were pulled. */
  tellsPulls(access: RegistryAccess): boolean;
  /** Epoch milliseconds of each digest's last pull, our own reads included. Throws where it cannot be had. */
  lastPulls(endpoint: RepositoryEndpoint, signal?: AbortSignal): Promise<ReadonlyMap<Digest, number>>;
}

/** The registries' own APIs, through their adapters. */
export function createSiteRegistry(clients: RegistryClients): SiteRegistry {
  const contextOf = (access: RegistryAccess, signal: AbortSignal | undefined): SiteContext => ({
    access,
    session: clients.of(access).session,
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    collectGarbage: async (access, signal) =>
      providerAdapter(access.provider).collectGarbage?.(contextOf(access, signal)) ?? 'unsupported',
    tellsPulls: (access) => providerAdapter(access.provider).lastPulls !== undefined,
    lastPulls: async ({ registry, path }, signal) => {
      const artifacts = await providerAdapter(registry.provider).lastPulls?.(
        contextOf(registry, signal),
        path,
      );
      const pulled = (artifacts ?? []).flatMap(({ digest, pulled: time }) =>
        time === undefined ? [] : [[digest, time] as const],
      );
      return new Map(pulled);
    },
  };
}
