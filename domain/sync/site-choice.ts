import type { EdgeSite } from '../resources/edge-site.ts';
import type { Repository, RepositorySpec } from '../resources/repository.ts';

/** The sites that a Repository goes to, and how. */
export interface SiteChoice {
  readonly connected: readonly EdgeSite[];
  readonly offline: readonly EdgeSite[];
  /** Named, but not there. */
  readonly missing: readonly string[];
}

/** The sites that the spec names; where it names none, the default site; where there is none, nothing. */
export function chooseSites(spec: RepositorySpec, sites: readonly EdgeSite[]): SiteChoice {
  const present = sites.filter((site) => site.metadata.deletionTimestamp === undefined);
  const named = [...new Set(spec.sites ?? [])];
  const chosen =
    named.length === 0
      ? defaultSite(present)
      : present.filter((site) => named.includes(site.metadata.name)).sort(byName);
  return {
    connected: chosen.filter((site) => site.spec.mode !== 'offline'),
    offline: chosen.filter((site) => site.spec.mode === 'offline'),
    missing: named.filter((name) => !present.some((site) => site.metadata.name === name)).sort(),
  };
}

/** Where an image lies at a site, for people and to tell whether the site was moved. Parses nothing. */
export function siteTarget({ spec }: EdgeSite, repository: string): string {
  const prefix = (spec.registry.pathPrefix ?? '').replace(/^\/+|\/+$/g, '');
  return [spec.registry.domain, ...(prefix === '' ? [] : [prefix]), repository].join('/');
}

/** The sites that a spec asks for, with where the image lies there; undefined for those that get bundles or are missing. */
export function wantedTargets(
  spec: RepositorySpec,
  sites: readonly EdgeSite[],
): ReadonlyMap<string, string | undefined> {
  const { connected, offline, missing } = chooseSites(spec, sites);
  return new Map<string, string | undefined>([
    ...connected.map((site) => [site.metadata.name, siteTarget(site, spec.repository)] as const),
    ...[...offline.map((site) => site.metadata.name), ...missing].map((name) => [name, undefined] as const),
  ]);
}

/** Whether the sites that a Repository goes to by now are others, or elsewhere, than those its status tells of. */
export function sitesMoved({ spec, status }: Repository, sites: readonly EdgeSite[]): boolean {
  if (status?.sites === undefined) return false;
  const wanted = wantedTargets(spec, sites);
  return (
    wanted.size !== status.sites.length ||
    status.sites.some(({ site, target }) => !wanted.has(site) || wanted.get(site) !== target)
  );
}

/** One at most: where several sites say that they are the default, the highest priority wins, then the name. */
function defaultSite(sites: readonly EdgeSite[]): EdgeSite[] {
  return sites
    .filter((site) => site.spec.default === true)
    .sort((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0) || byName(a, b))
    .slice(0, 1);
}

const byName = (a: EdgeSite, b: EdgeSite): number => (a.metadata.name < b.metadata.name ? -1 : 1);
