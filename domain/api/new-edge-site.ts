import { parseDuration } from '../duration.ts';
import { parseCron } from '../lifecycle/cron.ts';
import { parseObjectName } from '../names/kubernetes-name.ts';
import { parseRegistryDomain } from '../names/registry-domain.ts';
import { parseRepositoryPath } from '../names/repository-path.ts';
import { checkSyncWindow } from '../sync/sync-window.ts';
import type { EdgeSiteSpec } from '../resources/edge-site.ts';

/** Checks an EdgeSite's spec that a caller wrote. Throws the code of the first field that is malformed. */
export function checkEdgeSiteSpec(spec: EdgeSiteSpec): void {
  parseRegistryDomain(spec.registry.domain);
  const { pathPrefix, credentialSecretName } = spec.registry;
  if (pathPrefix !== undefined && pathPrefix !== '') parseRepositoryPath(pathPrefix.replace(/\/$/, ''));
  if (credentialSecretName !== undefined) parseObjectName(credentialSecretName);
  if (spec.syncWindow !== undefined) checkSyncWindow(spec.syncWindow);
  if (spec.bundle?.expiresAfter !== undefined) parseDuration(spec.bundle.expiresAfter);
  if (spec.bundle?.usageMaxAge !== undefined) parseDuration(spec.bundle.usageMaxAge);
  if (spec.bundle?.schedule !== undefined) parseCron(spec.bundle.schedule);
}
