import { Failure } from '../failure.ts';
import type { Digest } from '../names/digest.ts';
import type { SiteState } from './site-state.ts';
import type { BundleStatement } from './statement.ts';

/** A clock that differs by more than this from what signatures prove is not believed. Milliseconds: one day. */
export const clockTolerance = 86_400_000;
/** A clock this far beyond a bundle's expiry says more about the clock than about the bundle. Milliseconds: two years. */
export const clockHorizon = 2 * 366 * 86_400_000;

/** What is known when a site decides on a bundle whose signatures are valid. */
export interface AcceptanceInput {
  readonly statement: BundleStatement;
  /** Of the statement's bytes. */
  readonly digest: Digest;
  readonly state: SiteState;
  /** The system clock, epoch milliseconds. */
  readonly now: number;
  /** A person vouches that the clock is wrong and the bundle is not. Default: false. */
  readonly acceptClock?: boolean;
}

/** `import`: push it. `resume`: it was begun and cut off. `replay`: it is committed already, nothing is to be done. */
export type Acceptance = 'import' | 'resume' | 'replay';

/**
 * Decides on a bundle after its signature: audience, expiry, sequence, base; in this order, each with its own code.
 * Throws `WrongAudience`, `ClockImplausible`, `BundleExpired`, `Rollback`, `Equivocation` or `BaseMissing`.
 */
export function acceptBundle(input: AcceptanceInput): Acceptance {
  checkAudience(input);
  checkExpiry(input);
  const acceptance = checkSequence(input);
  if (acceptance !== 'replay') checkBase(input);
  return acceptance;
}

function checkAudience({ statement, state }: AcceptanceInput): void {
  if (statement.site !== state.site) {
    throw new Failure('WrongAudience', { detail: `made for ${statement.site}, this is ${state.site}` });
  }
}

/** Trusted time never runs backwards: the later of the clock and of what signatures have proven. */
function checkExpiry({ statement, state, now, acceptClock }: AcceptanceInput): void {
  const seen = Date.parse(state.maxSeenTime);
  const [created, expires] = [Date.parse(statement.createdAt), Date.parse(statement.expires)];
  const behind = now < Math.max(seen, created) - clockTolerance;
  const ahead = now > Math.max(seen, expires) + clockHorizon;
  if (acceptClock !== true && (behind || ahead)) {
    throw new Failure('ClockImplausible', {
      detail: `the clock says ${new Date(now).toISOString()}, signatures prove ${new Date(Math.max(seen, created)).toISOString()}`,
    });
  }
  const trusted = acceptClock === true && ahead ? seen : Math.max(now, seen);
  if (trusted > expires) throw new Failure('BundleExpired', { detail: `since ${statement.expires}` });
}

function checkSequence({ statement, digest, state }: AcceptanceInput): Acceptance {
  const { sequence } = statement;
  if (sequence < state.committedSequence) rollback(sequence, state.committedSequence);
  if (sequence === state.committedSequence) {
    if (state.committedDigest === undefined) rollback(sequence, sequence);
    if (digest !== state.committedDigest) equivocation(sequence);
    return 'replay';
  }
  const { pending } = state;
  if (pending !== undefined && sequence < pending.sequence) rollback(sequence, pending.sequence);
  if (pending?.sequence === sequence && pending.digest !== digest) equivocation(sequence);
  checkPredecessor(statement, state);
  return pending?.sequence === sequence ? 'resume' : 'import';
}

/** Where the site knows the bundle's predecessor, it must be the same one. */
function checkPredecessor(statement: BundleStatement, state: SiteState): void {
  const known = state.committed.find(({ sequence }) => sequence === statement.prevSequence);
  if (known !== undefined && known.digest !== statement.prevManifestDigest) {
    equivocation(statement.prevSequence);
  }
}

function checkBase({ statement, state }: AcceptanceInput): void {
  const { base } = statement;
  if (base === undefined) return;
  const known = state.committed.find(({ sequence }) => sequence === base.sequence);
  if (known === undefined || known.digest !== base.digest) {
    throw new Failure('BaseMissing', {
      detail: `it builds on bundle ${base.sequence}, this site has ${state.committedSequence}; stage a full bundle`,
    });
  }
}

function rollback(offered: number, known: number): never {
  throw new Failure('Rollback', { detail: `bundle ${offered} is offered, bundle ${known} was the last` });
}

function equivocation(sequence: number): never {
  throw new Failure('Equivocation', { detail: `two different bundles carry the number ${sequence}` });
}
