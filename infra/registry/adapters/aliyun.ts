import { verifyOci } from './oci.ts';
import type { ProviderAdapter } from './provider.ts';

/**
 * Aliyun Container Registry, personal and enterprise: a token server per region, known by its name
 * (`domain/registry/token-servers.ts`). There is no catalogue, so nothing is said about the registry as a whole.
 */
export const aliyunAdapter: ProviderAdapter = { name: 'aliyun', verify: verifyOci };
