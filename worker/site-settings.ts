import { parseSiteName, type SiteName } from '../domain/names/kubernetes-name.ts';
import { parseRegistryDomain, type RegistryDomain } from '../domain/names/registry-domain.ts';
import { parseWorkerSettings, type WorkerSettings } from './settings.ts';

/** The settings of a site's own worker, all from the environment; those of the hub's worker that concern it included. */
export interface SiteSettings extends WorkerSettings {
  /** `SITE_NAME`: the EdgeSite's name. */
  readonly site: SiteName;
  /** `SITE_REGISTRY`: the `host[:port]` of the registry at the site, as the EdgeSite has it. */
  readonly registry: RegistryDomain;
  /** `SITE_PATH_PREFIX`, as the EdgeSite has it. Default: none. */
  readonly pathPrefix: string | undefined;
  /** `SITE_BANDWIDTH` in bytes per second. Default: no limit. */
  readonly bandwidth: number | undefined;
}

/** Parses the environment. Throws an error or Failure that names what is wrong; a credential is never in it. */
export function parseSiteSettings(environment: Readonly<Record<string, string | undefined>>): SiteSettings {
  const bandwidth = environment['SITE_BANDWIDTH'] || undefined;
  if (bandwidth !== undefined && !/^[1-9]\d{0,14}$/.test(bandwidth))
    throw new Error('wrong settings: SITE_BANDWIDTH must be bytes per second, a whole number');
  return {
    ...parseWorkerSettings(environment),
    site: parseSiteName(environment['SITE_NAME'] ?? ''),
    registry: parseRegistryDomain(environment['SITE_REGISTRY'] ?? ''),
    pathPrefix: environment['SITE_PATH_PREFIX'] || undefined,
    bandwidth: bandwidth === undefined ? undefined : Number(bandwidth),
  };
}
