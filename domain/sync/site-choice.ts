import type { EdgeSite } from '../resources/edge-site.ts';
import type { RepositorySpec } from '../resources/repository.ts';

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

/** One at most: where several sites say that they are the default, the highest priority wins, then the name. */
function defaultSite(sites: readonly EdgeSite[]): EdgeSite[] {
  return sites
    .filter((site) => site.spec.default === true)
    .sort((a, b) => (b.spec.priority ?? 0) - (a.spec.priority ?? 0) || byName(a, b))
    .slice(0, 1);
}

const byName = (a: EdgeSite, b: EdgeSite): number => (a.metadata.name < b.metadata.name ? -1 : 1);
