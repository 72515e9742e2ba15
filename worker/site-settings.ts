import { readFileSync } from 'node:fs';
import { parseSiteName, type SiteName } from '../domain/names/kubernetes-name.ts';
import { parseRegistryDomain, type RegistryDomain } from '../domain/names/registry-domain.ts';
import type { RegistryAccessSpec } from '../domain/resources/registry-secret.ts';
import { parseWorkerSettings, type WorkerSettings } from './settings.ts';

/** The settings of a site's own worker, all from the environment; those of the hub's worker that concern it included. */
export interface SiteSettings extends WorkerSettings {
  /** `SITE_NAME`: the EdgeSite's name. */
  readonly site: SiteName;
  /** `SITE_REGISTRY`: the `host[:port]` of the registry at the site, as the EdgeSite has it. */
  readonly registry: RegistryDomain;
  /** `SITE_PATH_PREFIX`, as the EdgeSite has it. Default: none. */
  readonly pathPrefix: string | undefined;
  /**
   * How the registry at the site is reached: `SITE_CA_FILE` (PEM; default: the system's), `SITE_INSECURE` (`true`: plain
   * http; default: only on this machine), `SITE_ALLOW_PRIVATE` (`true`: it may point to private addresses).
   */
  readonly registryAccess: RegistryAccessSpec;
  /** `SITE_BANDWIDTH` in bytes per second. Default: no limit. */
  readonly bandwidth: number | undefined;
  /** Whether the pool of bundles is in reach: where `S3_ENDPOINT` or `S3_BUCKET` is set. */
  readonly hasPool: boolean;
  /** Whether the site's cluster is in reach: where `KUBECONFIG` is set, or it runs in that cluster. */
  readonly hasCluster: boolean;
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
    registryAccess: registryAccess(environment),
    pathPrefix: environment['SITE_PATH_PREFIX'] || undefined,
    bandwidth: bandwidth === undefined ? undefined : Number(bandwidth),
    hasCluster: Boolean(environment['KUBECONFIG'] || environment['KUBERNETES_SERVICE_HOST']),
    hasPool: Boolean(environment['S3_ENDPOINT'] || environment['S3_BUCKET']),
  };
}

function registryAccess(environment: Readonly<Record<string, string | undefined>>): RegistryAccessSpec {
  const caFile = environment['SITE_CA_FILE'] || undefined;
  const insecure = flag(environment, 'SITE_INSECURE');
  const allowPrivate = flag(environment, 'SITE_ALLOW_PRIVATE');
  return {
    ...(caFile === undefined ? {} : { caBundle: certificates(caFile) }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(allowPrivate === undefined ? {} : { allowPrivate }),
  };
}

function flag(environment: Readonly<Record<string, string | undefined>>, name: string): boolean | undefined {
  const text = environment[name] || undefined;
  if (text !== undefined && text !== 'true' && text !== 'false')
    throw new Error(`wrong settings: ${name} must be true or false`);
  return text === undefined ? undefined : text === 'true';
}

function certificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new Error('wrong settings: the file that SITE_CA_FILE names cannot be read');
  }
}
