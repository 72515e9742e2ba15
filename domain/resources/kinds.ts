import type { EdgeSite } from './edge-site.ts';
import type { ImageBundle } from './image-bundle.ts';
import type { ImageCleanupPolicy } from './image-cleanup-policy.ts';
import type { RegistrySecret } from './registry-secret.ts';
import type { Repository } from './repository.ts';

/** Every kind of the group by its plural, and the type of its objects. */
export interface ResourceOf {
  readonly registrysecrets: RegistrySecret;
  readonly repositories: Repository;
  readonly edgesites: EdgeSite;
  readonly imagebundles: ImageBundle;
  readonly imagecleanuppolicies: ImageCleanupPolicy;
}

export type Plural = keyof ResourceOf;

/** Kind name and scope of each plural. */
export const kinds: Readonly<Record<Plural, { readonly kind: string; readonly namespaced: boolean }>> = {
  registrysecrets: { kind: 'RegistrySecret', namespaced: true },
  repositories: { kind: 'Repository', namespaced: true },
  edgesites: { kind: 'EdgeSite', namespaced: false },
  imagebundles: { kind: 'ImageBundle', namespaced: false },
  imagecleanuppolicies: { kind: 'ImageCleanupPolicy', namespaced: true },
};
