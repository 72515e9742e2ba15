import { parseRepositoryPath } from '../domain/names/repository-path.ts';
import { Failure } from '../domain/failure.ts';
import { sitePath } from '../domain/sync/site-path.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { LimitingSpec } from '../infra/copy/site-limits.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { SyncDependencies } from './dependencies.ts';

type Lookup = Pick<SyncDependencies, 'resources' | 'credentials'>;

/** Where an image comes from, by reference. */
export interface SourceOrder {
  readonly registryRef: ObjectRef;
  readonly repository: string;
  /** Namespace of the Repository that asks: the registry's credential must be meant for it. */
  readonly usedFrom: string;
}

/** A site's repository, and how fast and when it may be filled. */
export interface TargetEndpoint extends RepositoryEndpoint {
  readonly limiting: LimitingSpec;
}

/** Reads registry and credential at the moment of use. Throws what {@link SyncDependencies.credentials} throws. */
export async function sourceEndpoint(deps: Lookup, order: SourceOrder): Promise<RepositoryEndpoint> {
  const registry = await deps.credentials.registryAccess(order.registryRef, order.usedFrom);
  return { registry, path: parseRepositoryPath(order.repository) };
}

/** The repository at a site. Throws `SiteNotFound` where there is no such site (any more). */
export async function targetEndpoint(
  deps: Lookup,
  siteName: string,
  repository: string,
): Promise<TargetEndpoint> {
  const site = await deps.resources.resource('edgesites').get({ name: siteName });
  if (site === undefined) {
    throw new Failure('SiteNotFound', { side: 'destination', subject: siteName });
  }
  const registry = await deps.credentials.siteAccess(site);
  return { registry, path: sitePath(site, repository), limiting: site.spec };
}
