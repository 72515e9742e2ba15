import type { EdgeSite } from '../resources/edge-site.ts';
import { annotationPrefix, type Resource } from '../resources/meta.ts';
import type { RegistrySecret } from '../resources/registry-secret.ts';
import type { Repository } from '../resources/repository.ts';
import type { ListView } from './list-view.ts';

/** An annotation of ours, empty where it is not set. */
export function annotation(object: Resource, key: string): string {
  return object.metadata.annotations?.[annotationPrefix + key] ?? '';
}

const identity = (object: Resource): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
const shared = {
  name: (object: Resource) => object.metadata.name,
  namespace: (object: Resource) => object.metadata.namespace ?? '',
  displayName: (object: Resource) => annotation(object, 'display-name'),
  description: (object: Resource) => annotation(object, 'description'),
  created: (object: Resource) => object.metadata.creationTimestamp ?? '',
};

/** The registry sources list: searched by name, alias, description, domain and provider. */
export const registrySecretView: ListView<RegistrySecret> = {
  fields: {
    ...shared,
    domain: (secret) => secret.spec.domain,
    provider: (secret) => secret.spec.provider,
    status: (secret) => annotation(secret, 'verify-status'),
    verified: (secret) => secret.status?.lastVerified ?? '',
  },
  searched: ['name', 'displayName', 'description', 'domain', 'provider'],
  named: ['name', 'displayName'],
  identity,
};

/** The images list: searched by name, alias, path, domain, tag and status. */
export const repositoryView: ListView<Repository> = {
  fields: {
    ...shared,
    path: (repository) => repository.spec.repository,
    tag: (repository) => repository.spec.tag,
    image: (repository) => `${repository.spec.repository}:${repository.spec.tag}`,
    registry: (repository) => repository.spec.registryRef.name,
    domain: (repository) => repository.status?.domain ?? '',
    status: (repository) => repository.status?.syncStatus ?? '',
    lastSynced: (repository) => repository.status?.lastSynced ?? '',
    owner: (repository) => annotation(repository, 'owner'),
  },
  searched: ['name', 'displayName', 'image', 'domain', 'status'],
  named: ['name', 'displayName', 'path'],
  identity,
};

/** The list of sites. */
export const edgeSiteView: ListView<EdgeSite> = {
  fields: {
    ...shared,
    domain: (site) => site.spec.registry.domain,
    mode: (site) => site.spec.mode ?? 'connected',
    location: (site) => site.spec.location ?? '',
  },
  searched: ['name', 'displayName', 'description', 'domain', 'mode', 'location'],
  named: ['name', 'displayName'],
  identity,
};
