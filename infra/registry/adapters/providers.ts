import { aliyunAdapter } from './aliyun.ts';
import { dockerHubAdapter } from './docker-hub.ts';
import { harborAdapter } from './harbor.ts';
import { ociAdapter } from './oci.ts';
import type { ProviderAdapter } from './provider.ts';

const adapters = new Map<string, ProviderAdapter>();

/** Adds a kind of registry, or replaces the one of that name. Called once, when a process starts. */
export function registerProvider(adapter: ProviderAdapter): void {
  adapters.set(adapter.name, adapter);
}

for (const adapter of [ociAdapter, harborAdapter, dockerHubAdapter, aliyunAdapter]) registerProvider(adapter);

/** The adapter of a provider; a name that nobody registered is treated as a plain registry. */
export function providerAdapter(name: string): ProviderAdapter {
  return adapters.get(name) ?? ociAdapter;
}
