import { parseRepositoryPath, type RepositoryPath } from '../names/repository-path.ts';
import type { EdgeSite } from '../resources/edge-site.ts';

/** Where an image lies at a site: its path upstream behind the site's prefix. Throws `InvalidRepository`. */
export function sitePath(site: EdgeSite, repository: string): RepositoryPath {
  return prefixedPath(site.spec.registry.pathPrefix, repository);
}

/** A path behind a prefix, which may come with slashes around it or not at all. Throws `InvalidRepository`. */
export function prefixedPath(pathPrefix: string | undefined, repository: string): RepositoryPath {
  const prefix = (pathPrefix ?? '').replace(/^\/+|\/+$/g, '');
  return parseRepositoryPath(prefix === '' ? repository : `${prefix}/${repository}`);
}
