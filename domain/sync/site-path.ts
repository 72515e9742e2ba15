import { parseRepositoryPath, type RepositoryPath } from '../names/repository-path.ts';
import type { EdgeSite } from '../resources/edge-site.ts';

/** Where an image lies at a site: its path upstream behind the site's prefix. Throws `InvalidRepository`. */
export function sitePath(site: EdgeSite, repository: string): RepositoryPath {
  const prefix = (site.spec.registry.pathPrefix ?? '').replace(/^\/+|\/+$/g, '');
  return parseRepositoryPath(prefix === '' ? repository : `${prefix}/${repository}`);
}
