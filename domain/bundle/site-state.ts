import { Failure } from '../failure.ts';
import { parseStrictJson } from '../image/strict-json.ts';
import type { Digest } from '../names/digest.ts';
import { parseSiteName, type SiteName } from '../names/kubernetes-name.ts';
import { utf8 } from '../trust/bytes.ts';
import { SignedFields } from '../trust/signed-fields.ts';
import type { BundleStatement } from './statement.ts';

/** A bundle by its sequence and the digest of its statement. */
export interface BundleMark {
  readonly sequence: number;
  readonly digest: Digest;
}

/**
 * What a site remembers between imports; its protection against old bundles. Written whole, before and after an
 * import, so that a crash leaves either the old or the new one.
 */
export interface SiteState {
  readonly site: SiteName;
  /** Version of the trust root in use. */
  readonly rootVersion: number;
  /** Verified and begun, not yet read back. Default: none. */
  readonly pending?: BundleMark;
  /** 0 before the first. */
  readonly committedSequence: number;
  readonly committedDigest?: Digest;
  /** RFC 3339 UTC: latest time proven by a signature. The clock may be behind it, but is never believed then. */
  readonly maxSeenTime: string;
  /** The latest commits, oldest first: what a bundle may build on. */
  readonly committed: readonly BundleMark[];
}

/** Commits that a state remembers. */
export const rememberedCommits = 64;

/** The state of a site that has just pinned its first root. `floor` is what it may not go back behind. Default: 0. */
export function firstState(site: SiteName, rootVersion: number, now: string, floor = 0): SiteState {
  return { site, rootVersion, committedSequence: floor, maxSeenTime: now, committed: [] };
}

/** A verified bundle is about to be pushed. */
export function begin(state: SiteState, mark: BundleMark): SiteState {
  return { ...state, pending: { sequence: mark.sequence, digest: mark.digest } };
}

/**
 * Every image of the bundle was read back. Only signed times move `maxSeenTime`, so that a clock in the future cannot
 * lock the site out for good.
 */
export function commit(state: SiteState, statement: BundleStatement, digest: Digest): SiteState {
  const { pending: _, ...rest } = state;
  const mark = { sequence: statement.sequence, digest };
  return {
    ...rest,
    committedSequence: statement.sequence,
    committedDigest: digest,
    maxSeenTime: laterOf(state.maxSeenTime, statement.createdAt),
    committed: [...state.committed.filter(({ sequence }) => sequence !== mark.sequence), mark].slice(
      -rememberedCommits,
    ),
  };
}

/** A newer trust root was adopted and is stored. */
export function adoptRoot(
  state: SiteState,
  root: { readonly version: number; readonly resetsSequence: boolean },
): SiteState {
  if (!root.resetsSequence) return { ...state, rootVersion: root.version };
  const { committedDigest: _digest, pending: _pending, ...rest } = state;
  return { ...rest, rootVersion: root.version, committedSequence: 0, committed: [] };
}

const laterOf = (one: string, other: string): string => (Date.parse(one) >= Date.parse(other) ? one : other);

/** The file's bytes. */
export function printState(state: SiteState): Uint8Array {
  const { pending, committedDigest } = state;
  return utf8(
    `${JSON.stringify({
      stateFormat: 1,
      site: state.site,
      rootVersion: state.rootVersion,
      pendingSequence: pending?.sequence ?? 0,
      pendingDigest: pending?.digest ?? '',
      committedSequence: state.committedSequence,
      committedDigest: committedDigest ?? '',
      maxSeenTime: state.maxSeenTime,
      committed: state.committed.map(({ sequence, digest }) => ({ sequence, digest })),
    })}\n`,
  );
}

const stateFields =
  'stateFormat site rootVersion pendingSequence pendingDigest committedSequence committedDigest maxSeenTime committed'.split(
    ' ',
  );

/** Reads the file. Throws `StateLost` for anything but a whole state. */
export function parseState(bytes: Uint8Array): SiteState {
  const json = parseStrictJson(bytes, { code: 'StateLost', maxDepth: 4, maxBytes: 65_536 });
  const fields = new SignedFields(json, 'state', stateFields, refuse);
  if (fields.count('stateFormat', 1) !== 1) refuse('its format is newer than this program');
  const pendingSequence = fields.count('pendingSequence', 0);
  return {
    site: parseSiteName(fields.text('site')),
    rootVersion: fields.count('rootVersion', 1),
    ...(pendingSequence === 0
      ? {}
      : { pending: { sequence: pendingSequence, digest: fields.digest('pendingDigest') } }),
    committedSequence: fields.count('committedSequence', 0),
    ...(fields.text('committedDigest') === '' ? {} : { committedDigest: fields.digest('committedDigest') }),
    maxSeenTime: fields.time('maxSeenTime'),
    committed: fields.list('committed', rememberedCommits).map((value) => {
      const mark = new SignedFields(value, 'committed', ['sequence', 'digest'], refuse);
      return { sequence: mark.count('sequence', 1), digest: mark.digest('digest') };
    }),
  };
}

function refuse(detail: string): never {
  throw new Failure('StateLost', { detail });
}
