import type { RegistryDomain } from '../names/registry-domain.ts';
import { registryHost } from '../names/registry-domain.ts';

/**
 * Token servers that public registries keep on another host than the registry itself, as of 2026-11. Everything else
 * has to be declared in `allowedRealms`.
 */
const fixed: Readonly<Record<string, string>> = {
  'registry-1.docker.io': 'auth.docker.io',
  'registry.gitlab.com': 'gitlab.com',
};

/** Aliyun: one token server a region and network; the region is part of both names. */
const aliyunRegistry =
  /^(?:registry(?:-vpc|-internal)?|[a-z0-9-]+)\.([a-z]{2}-[a-z0-9-]+)(?:\.personal)?(?:\.cr)?\.aliyuncs\.com$/;
const aliyunTokenServer = /^dockerauth(?:-ee)?(?:-vpc|-internal)?\.([a-z]{2}-[a-z0-9-]+)\.aliyuncs\.com$/;

/** Whether an https address is the token server that belongs to a well-known registry. */
export function isKnownTokenServer(domain: RegistryDomain, realm: URL): boolean {
  if (realm.protocol !== 'https:' || realm.port !== '') return false;
  if (fixed[registryHost(domain)] === realm.hostname) return true;
  const region = aliyunRegistry.exec(domain)?.[1];
  return region !== undefined && aliyunTokenServer.exec(realm.hostname)?.[1] === region;
}
