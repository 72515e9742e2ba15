import { Failure } from '../failure.ts';
import { parseDigest, type Digest } from '../names/digest.ts';
import { parseTag, type TagName } from '../names/tag.ts';
import type { EdgeSite } from '../resources/edge-site.ts';
import type { Repository, RepositorySpec, TagPin } from '../resources/repository.ts';
import type { SiteChoice } from '../sync/site-choice.ts';
import { currentVersion, previousVersion } from './versions.ts';

/** What is asked for. */
export interface RollbackRequest {
  /** A digest of the tag's history, or any digest that a site or the registry still has. Default: the previous version. */
  readonly digest?: string;
  /** Default: `spec.tag`. */
  readonly tag?: string;
  /** Sites at which it happens. Default: all that the Repository goes to. */
  readonly sites?: readonly string[];
}

/** What a rollback will do: put the tag to a digest everywhere, and keep it there. */
export interface RollbackDecision {
  readonly tag: TagName;
  readonly from?: Digest;
  readonly to: Digest;
  /** The sites that were named. Default: all sites of the Repository. */
  readonly chosen?: readonly string[];
}

/**
 * Decides what a rollback does. Throws `InvalidDigest`, `InvalidTag`, `RollbackTargetMissing` where there is no earlier
 * version, and `TagNotFound` for a tag that the Repository does not bring.
 */
export function decideRollback(repository: Repository, request: RollbackRequest): RollbackDecision {
  const tag = parseTag(request.tag ?? repository.spec.tag);
  const history = repository.status?.versions ?? [];
  const known = tag === repository.spec.tag || history.some((version) => version.tag === tag);
  if (!known) throw new Failure('TagNotFound', { side: 'caller', subject: tag });
  const target = request.digest ?? previousVersion(history, tag)?.digest;
  if (target === undefined) {
    throw new Failure('RollbackTargetMissing', {
      side: 'caller',
      subject: tag,
      detail: 'it has no earlier version',
    });
  }
  const from = currentVersion(history, tag)?.digest ?? repository.status?.digest;
  const sites = [...new Set(request.sites ?? [])];
  return {
    tag,
    to: parseDigest(target),
    ...(from === undefined ? {} : { from: parseDigest(from) }),
    ...(sites.length === 0 ? {} : { chosen: sites }),
  };
}

/**
 * The sites of a rollback: those of the Repository, or the ones among them that were named. Throws `InvalidRequest` for a
 * name that the Repository does not go to.
 */
export function rollbackSites(
  { chosen }: Pick<RollbackDecision, 'chosen'>,
  choice: SiteChoice,
): Pick<SiteChoice, 'connected' | 'offline'> {
  if (chosen === undefined) return choice;
  const isChosen = ({ metadata }: EdgeSite): boolean => chosen.includes(metadata.name);
  const [connected, offline] = [choice.connected.filter(isChosen), choice.offline.filter(isChosen)];
  const known = new Set([...connected, ...offline].map(({ metadata }) => metadata.name));
  const stranger = chosen.find((site) => !known.has(site));
  if (stranger === undefined) return { connected, offline };
  const detail = 'the Repository does not go to this site';
  throw new Failure('InvalidRequest', { side: 'caller', subject: stranger, detail });
}

/** The part of a spec that fences tags against resyncs. */
export type PinnedSpec = Pick<RepositorySpec, 'tag' | 'pinnedDigest' | 'pins'>;

/**
 * The digest a tag has to stay at, whatever it says upstream; undefined where it follows upstream. This is the fence of
 * a rollback: written before the tag is moved, and left until somebody releases it. A pin for a site comes before one for
 * all; without `site` only those for all count.
 */
export function pinOf(spec: PinnedSpec, tag: string, site?: string): Digest | undefined {
  const pins = (spec.pins ?? []).filter((pin) => pin.tag === tag);
  const own = site === undefined ? undefined : pins.find(({ sites }) => sites?.includes(site));
  const general = pins.find(({ sites }) => sites === undefined)?.digest;
  const pinned = own?.digest ?? (tag === spec.tag ? (spec.pinnedDigest ?? general) : general);
  return pinned === undefined ? undefined : parseDigest(pinned);
}

/** Whether a tag is held anywhere. */
export const isPinned = (spec: PinnedSpec, tag: string): boolean =>
  pinOf(spec, tag) !== undefined || (spec.pins ?? []).some((pin) => pin.tag === tag);

/** The merge patch that fences a tag at a digest, at all sites or at some, or releases it everywhere with `undefined`. */
export function pinPatch(
  spec: PinnedSpec,
  tag: string,
  digest: Digest | undefined,
  sites?: readonly string[],
): { readonly spec: object } {
  const isMain = tag === spec.tag;
  const kept = (spec.pins ?? []).flatMap((pin) => (pin.tag === tag ? keptPin(pin, digest, sites) : [pin]));
  const isSpecial = digest !== undefined && (sites !== undefined || !isMain);
  const added = { tag, digest, ...(sites === undefined ? {} : { sites }) };
  const pins = isSpecial ? [...kept, added] : kept;
  const changed = pins.length !== (spec.pins ?? []).length || isSpecial;
  return {
    spec: {
      ...(isMain && sites === undefined ? { pinnedDigest: digest ?? null } : {}),
      ...(changed || !isMain ? { pins: pins.length === 0 ? null : pins } : {}),
    },
  };
}

/** What is left of an earlier pin of the tag: a new one for some sites leaves the others alone. */
function keptPin(pin: TagPin, digest: Digest | undefined, sites: readonly string[] | undefined): TagPin[] {
  if (digest === undefined || sites === undefined) return [];
  if (pin.sites === undefined) return [pin];
  const others = pin.sites.filter((site) => !sites.includes(site));
  return others.length === 0 ? [] : [{ ...pin, sites: others }];
}
