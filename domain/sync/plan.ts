import { parseDuration } from '../duration.ts';
import { asFailure } from '../failure.ts';
import { fingerprint } from '../fingerprint.ts';
import { parseDigest } from '../names/digest.ts';
import { parseSiteName } from '../names/kubernetes-name.ts';
import { parseRegistryDomain } from '../names/registry-domain.ts';
import { parseRepositoryPath } from '../names/repository-path.ts';
import { parseTag } from '../names/tag.ts';
import type { EdgeSite, SiteSource } from '../resources/edge-site.ts';
import type { ObjectRef } from '../resources/meta.ts';
import type { RegistrySecret } from '../resources/registry-secret.ts';
import type {
  PlatformSelection,
  Repository,
  RepositorySpec,
  VerificationSpec,
} from '../resources/repository.ts';
import { factsOf, type FailureFacts } from './failure-facts.ts';
import { copyTaskQueue, siteTaskQueue } from './ids.ts';
import { chooseSites, siteTarget } from './site-choice.ts';
import { termsOf, type SiteTerms } from './site-terms.ts';

/** A site that this sync copies to, and the task queue on which that happens. */
export interface PlannedSite {
  readonly site: string;
  readonly queue: string;
  /** Where the image lies there, for the status. */
  readonly target?: string;
  /** For a site's own worker, which cannot read the EdgeSite. A plan of long ago says no version. Default: left out. */
  readonly limits?: Partial<SiteTerms>;
  /** Where the site's own worker reads images. Default: upstream. */
  readonly source?: SiteSource;
}

/** Which object a run works for; another object of the same name is none of its business (fault O06). */
export interface Claim {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly generation: number;
  /** What was wanted when the run began, see {@link wantedOf}. */
  readonly wanted: string;
}

/** Tries after the first, and milliseconds before the first of them; the wait doubles after that. */
export interface RetryRule {
  readonly retryCount: number;
  readonly retryIntervalMs: number;
}

/** What one sync is about to do. Lies in the workflow's history: names only, no credential. */
export interface SyncPlan {
  readonly claim: Claim;
  /** Registry domain; undefined where the RegistrySecret is not there. */
  readonly domain?: string;
  readonly repository: string;
  readonly tag: string;
  readonly registryRef: ObjectRef;
  /** Milliseconds for the whole sync. */
  readonly timeoutMs: number;
  readonly retry: RetryRule;
  /** Sites to copy to. */
  readonly sites: readonly PlannedSite[];
  /** Sites that get bundles; a sync only takes note of them. */
  readonly offlineSites: readonly string[];
  /** Sites that are named and do not exist. */
  readonly missingSites: readonly string[];
  /** Whether the tag is chosen by a selector, so that there may be many. */
  readonly selects: boolean;
  /** Whether tags of the selector that vanished upstream are taken from the sites. Default: false. */
  readonly prunes?: boolean;
  readonly platforms?: PlatformSelection;
  /** The signature that is asked for. Default: none. */
  readonly verification?: VerificationSpec;
  /** Digest that `status.manifest` is about by now. */
  readonly described?: string;
  /** Why nothing can be done at all. */
  readonly problem?: FailureFacts;
}

const defaults = { timeout: '10m', retryCount: 3, retryInterval: '10s' } as const;

/** Decides what a sync does from the resources as they are. */
export function planSync(
  repository: Repository,
  sites: readonly EdgeSite[],
  secret: RegistrySecret | undefined,
): SyncPlan {
  const { spec, metadata } = repository;
  const ref = { namespace: metadata.namespace ?? '', name: metadata.name };
  const chosen = chooseSites(spec, sites);
  const problem = problemOf(spec, secret);
  return {
    claim: {
      ref,
      uid: metadata.uid ?? '',
      generation: metadata.generation ?? 0,
      wanted: wantedOf(spec),
    },
    ...(secret === undefined ? {} : { domain: secret.spec.domain }),
    repository: spec.repository,
    tag: spec.tag,
    registryRef: { namespace: spec.registryRef.namespace ?? ref.namespace, name: spec.registryRef.name },
    timeoutMs: duration(spec.syncTimeout, defaults.timeout),
    retry: {
      retryCount: Math.min(100, Math.max(0, spec.retryCount ?? defaults.retryCount)),
      retryIntervalMs: duration(spec.retryInterval, defaults.retryInterval),
    },
    sites: chosen.connected.map((site) => plannedSite(site, spec.repository)),
    offlineSites: chosen.offline.map((site) => site.metadata.name),
    missingSites: chosen.missing,
    selects: spec.tagSelector !== undefined,
    prunes: spec.tagSelector !== undefined && spec.prune === true,
    ...(spec.platforms === undefined ? {} : { platforms: spec.platforms }),
    ...(spec.verification === undefined ? {} : { verification: spec.verification }),
    ...described(repository),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** Milliseconds after which a site whose worker takes no work is left to its desk: the others are not held up for it. */
export const sitePatience = (plan: SyncPlan): number => Math.min(120_000, Math.ceil(plan.timeoutMs / 2));

/** What a copy to these sites needs of a plan: with all of them in each of its steps, a history would grow by their square. */
export function planFor(plan: SyncPlan, sites: readonly string[]): SyncPlan {
  const wanted = new Set(sites);
  const own = plan.sites.filter(({ site }) => wanted.has(site));
  return { ...plan, sites: own, offlineSites: [], missingSites: [] };
}

/** True where no site is there to bring the image to, connected or not. */
export const isMetadataOnly = (plan: SyncPlan): boolean =>
  plan.sites.length + plan.offlineSites.length + plan.missingSites.length === 0;

/** Characters that each step of a run may carry of what is wanted; of a longer one, with hundreds of sites, its fingerprint. */
const longestWanted = 400;

/** Everything of a spec that decides what lands where; a change of an interval or a description is none. */
export function wantedOf(spec: RepositorySpec): string {
  const whole = wholeWanted(spec);
  return whole.length > longestWanted ? fingerprint(whole) : whole;
}

/** Whether a spec wants what it wanted when the run began; runs of long ago carry all of it, however long. */
export function isWanted({ wanted }: Pick<Claim, 'wanted'>, spec: RepositorySpec): boolean {
  return wanted === wantedOf(spec) || wanted === wholeWanted(spec);
}

function wholeWanted(spec: RepositorySpec): string {
  const { repository, tag, registryRef, sites, platforms, tagSelector, pinnedDigest, pins } = spec;
  const { verification } = spec;
  const known = [repository, tag, registryRef, sites, platforms, tagSelector, pinnedDigest, pins];
  // a run that began before there was such a field must not look as if something had changed
  return JSON.stringify(verification === undefined ? known : [...known, verification]);
}

function described({ status }: Repository): { readonly described?: string } {
  const digest = status?.manifest === undefined ? undefined : status.digest;
  return digest === undefined ? {} : { described: digest };
}

function plannedSite(site: EdgeSite, repository: string): PlannedSite {
  const { name } = site.metadata;
  const target = siteTarget(site, repository);
  if (site.spec.worker !== true) return { site: name, queue: copyTaskQueue, target };
  const { source } = site.spec;
  const chosen = source === undefined || source === 'upstream' ? {} : { source };
  return { site: name, queue: siteTaskQueue(name), target, limits: termsOf(site), ...chosen };
}

/** The first part of the spec that no parser takes, or a registry that is not declared. */
function problemOf(spec: RepositorySpec, secret: RegistrySecret | undefined): FailureFacts | undefined {
  try {
    parseRepositoryPath(spec.repository);
    parseTag(spec.tag);
    if (spec.pinnedDigest !== undefined) parseDigest(spec.pinnedDigest);
    for (const site of spec.sites ?? []) parseSiteName(site);
    for (const text of [spec.syncTimeout, spec.retryInterval]) if (text !== undefined) parseDuration(text);
    if (secret === undefined)
      return { code: 'RegistrySecretNotFound', side: 'cluster', subject: spec.registryRef.name };
    parseRegistryDomain(secret.spec.domain);
    return undefined;
  } catch (error) {
    return factsOf(asFailure(error));
  }
}

/** A malformed duration counts as the default here: {@link problemOf} already reports it. */
function duration(text: string | undefined, fallback: string): number {
  try {
    return parseDuration(text ?? fallback);
  } catch {
    return parseDuration(fallback);
  }
}
