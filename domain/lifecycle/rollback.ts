import { Failure } from '../failure.ts';
import { parseDigest, type Digest } from '../names/digest.ts';
import { parseTag, type TagName } from '../names/tag.ts';
import type { Repository, RepositorySpec } from '../resources/repository.ts';
import { currentVersion, previousVersion } from './versions.ts';

/** What is asked for. */
export interface RollbackRequest {
  /** A digest of the tag's history, or any digest that a site or the registry still has. Default: the previous version. */
  readonly digest?: string;
  /** Default: `spec.tag`. */
  readonly tag?: string;
}

/** What a rollback will do: put the tag to a digest everywhere, and keep it there. */
export interface RollbackDecision {
  readonly tag: TagName;
  readonly from?: Digest;
  readonly to: Digest;
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
  return { tag, to: parseDigest(target), ...(from === undefined ? {} : { from: parseDigest(from) }) };
}

/** The part of a spec that fences tags against resyncs. */
export type PinnedSpec = Pick<RepositorySpec, 'tag' | 'pinnedDigest' | 'pins'>;

/**
 * The digest a tag has to stay at, whatever it says upstream; undefined where it follows upstream. This is the fence of
 * a rollback: written before the tag is moved, and left until somebody releases it.
 */
export function pinOf(spec: PinnedSpec, tag: string): Digest | undefined {
  const pinned = tag === spec.tag ? spec.pinnedDigest : spec.pins?.find((pin) => pin.tag === tag)?.digest;
  return pinned === undefined ? undefined : parseDigest(pinned);
}

/** The merge patch that fences a tag at a digest, or releases it with `undefined`. */
export function pinPatch(spec: PinnedSpec, tag: string, digest: Digest | undefined): object {
  if (tag === spec.tag) return { spec: { pinnedDigest: digest ?? null } };
  const others = (spec.pins ?? []).filter((pin) => pin.tag !== tag);
  const pins = digest === undefined ? others : [...others, { tag, digest }];
  return { spec: { pins: pins.length === 0 ? null : pins } };
}
