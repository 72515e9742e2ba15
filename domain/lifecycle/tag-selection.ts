import { Range, satisfies, validRange } from 'semver';
import { Failure } from '../failure.ts';
import { printable } from '../names/digest.ts';
import type { TagName } from '../names/tag.ts';
import type { TagSelector } from '../resources/repository.ts';
import { systemTagKind } from './system-tags.ts';
import { globMatcher, regexMatcher, type TagMatcher } from './tag-pattern.ts';
import { compareNames, compareTags, parseVersion, semverText } from './version-order.ts';

/** Hard limit on selected tags where the selector names none. */
export const defaultTagCap = 500;
/** Highest cap that a selector may ask for. */
export const maxTagCap = 10_000;

/** Why a tag is selected or not. */
export type SelectionReason =
  | 'Selected'
  | 'SystemTag'
  | 'NoGlobMatch'
  | 'NoRegexMatch'
  | 'NotInSemverRange'
  | 'Excluded'
  | 'OlderThanNewest'
  | 'OverCap';

export interface SelectionVerdict {
  readonly tag: TagName;
  readonly selected: boolean;
  readonly reason: SelectionReason;
}

/** A tag upstream. `created` is in epoch milliseconds, from the image config. Default: unknown. */
export interface UpstreamTag {
  readonly tag: TagName;
  readonly created?: number;
}

/** A selector whose rules were checked once. */
export interface CompiledSelector {
  /** The reason a single tag is left out, or `Selected`. */
  match(tag: TagName): SelectionReason;
  readonly order: 'semver' | 'name' | 'created';
  readonly newest: number;
  readonly cap: number;
}

/** Checks a selector's rules. Throws `InvalidRule` that says which rule is wrong. */
export function compileSelector(selector: TagSelector): CompiledSelector {
  const glob = selector.glob === undefined ? undefined : globMatcher(selector.glob);
  const regex = selector.regex === undefined ? undefined : regexMatcher(selector.regex);
  const range = selector.semver === undefined ? undefined : rangeMatcher(selector.semver);
  const exclude = (selector.exclude ?? []).map(globMatcher);
  const match = (tag: TagName): SelectionReason => {
    if (systemTagKind(tag) !== undefined) return 'SystemTag';
    if (glob?.(tag) === false) return 'NoGlobMatch';
    if (regex?.(tag) === false) return 'NoRegexMatch';
    if (range?.(tag) === false) return 'NotInSemverRange';
    return exclude.some((excludes) => excludes(tag)) ? 'Excluded' : 'Selected';
  };
  return {
    match,
    order: selector.orderBy ?? (selector.semver === undefined ? 'name' : 'semver'),
    newest: count(selector.newest, Number.POSITIVE_INFINITY, 'newest'),
    cap: Math.min(count(selector.cap, defaultTagCap, 'cap'), maxTagCap),
  };
}

/**
 * Which of the tags upstream are wanted: all given rules have to match, then the newest N, then the cap. One verdict a
 * tag, newest first for those that matched. Signatures and our own staging tags are never versions: they travel with
 * their image. Throws `InvalidRule`.
 */
export function selectTags(upstream: readonly UpstreamTag[], selector: TagSelector): SelectionVerdict[] {
  const compiled = compileSelector(selector);
  const reasons = upstream.map((entry) => ({ entry, reason: compiled.match(entry.tag) }));
  const matched = reasons.filter(({ reason }) => reason === 'Selected').map(({ entry }) => entry);
  const ranked = matched.sort((a, b) => comparator[compiled.order](b, a));
  return [
    ...ranked.map(({ tag }, rank) => verdict(tag, rankReason(rank, compiled))),
    ...reasons
      .filter(({ reason }) => reason !== 'Selected')
      .map(({ entry, reason }) => verdict(entry.tag, reason)),
  ];
}

/** Whether a tag passes a selector's rules, whatever is newest. Throws `InvalidRule`. */
export function matchesSelector(selector: TagSelector): (tag: TagName) => boolean {
  const compiled = compileSelector(selector);
  return (tag) => compiled.match(tag) === 'Selected';
}

/** Whether it depends on the images' dates which of so many matching tags are selected. Throws `InvalidRule`. */
export function needsDates(selector: TagSelector, matching: number): boolean {
  const { order, newest, cap } = compileSelector(selector);
  return order === 'created' && matching > Math.min(newest, cap);
}

/** The tags of the verdicts that are selected, in their order. */
export function selectedTags(verdicts: readonly SelectionVerdict[]): TagName[] {
  return verdicts.filter(({ selected }) => selected).map(({ tag }) => tag);
}

const comparator: Readonly<Record<CompiledSelector['order'], (a: UpstreamTag, b: UpstreamTag) => number>> = {
  semver: (a, b) => compareTags(a.tag, b.tag),
  name: (a, b) => compareNames(a.tag, b.tag),
  // Reproducible builds share one date, and some have none (the oldest): the version decides then.
  created: (a, b) => (a.created ?? 0) - (b.created ?? 0) || compareTags(a.tag, b.tag),
};

function rankReason(rank: number, compiled: CompiledSelector): SelectionReason {
  if (rank >= compiled.newest) return 'OlderThanNewest';
  return rank >= compiled.cap ? 'OverCap' : 'Selected';
}

const verdict = (tag: TagName, reason: SelectionReason): SelectionVerdict => ({
  tag,
  selected: reason === 'Selected',
  reason,
});

/** Pre-releases match only where the range names one of the same version, as npm does it. */
function rangeMatcher(text: string): TagMatcher {
  if (text.length > 256 || validRange(text) === null) {
    throw new Failure('InvalidRule', {
      side: 'caller',
      subject: printable(text),
      detail: 'not a semver range',
    });
  }
  const range = new Range(text);
  return (tag) => {
    const version = parseVersion(tag);
    return version !== undefined && satisfies(semverText(version), range);
  };
}

function count(value: number | undefined, fallback: number, name: string): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value > 0) return value;
  throw new Failure('InvalidRule', { side: 'caller', subject: name, detail: 'a whole number above 0' });
}
