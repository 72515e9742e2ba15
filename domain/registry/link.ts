import { Failure } from '../failure.ts';

/** One entry of a `Link` header (RFC 8288). */
export interface Link {
  readonly target: string;
  /** Relation types in lower case. */
  readonly relations: readonly string[];
}

const maxLinkLength = 8192;

/**
 * The address of the next page, or undefined on the last one. A registry may only lead on within the list that was
 * asked for: same origin, same path. Throws `ListingIncomplete` for any other place and for a header that cannot be read,
 * `PaginationLoop` where the next page is the current one. The caller keeps the set of pages seen and their number.
 */
export function nextPage(headers: readonly string[], current: URL): URL | undefined {
  const text = headers.join(', ').trim();
  if (text === '') return undefined;
  if (text.length > maxLinkLength) return refuse('the Link header is too long');
  const target = text.includes('<') ? nextTarget(parseLinks(text)) : bareTarget(text);
  if (target === undefined) return undefined;
  if (!URL.canParse(target, current.href)) return refuse('the Link header has no valid address');
  const next = new URL(target, current.href);
  next.hash = '';
  if (next.origin !== current.origin || next.username !== '' || next.password !== '') {
    return refuse('the next page is on another host');
  }
  if (next.pathname !== current.pathname) return refuse('the next page is of another list');
  if (next.href === current.href)
    throw new Failure('PaginationLoop', { detail: 'the next page is this page' });
  return next;
}

/** Parses a `Link` header. Throws `ListingIncomplete` where it is malformed. */
export function parseLinks(text: string): readonly Link[] {
  const links: Link[] = [];
  for (let at = 0; at < text.length;) {
    const [opening = '', target = ''] = matchAt(targetPattern, text, at) ?? malformed();
    const parameters = parseParameters(text, at + opening.length);
    links.push({ target, relations: parameters.relations });
    const gap = matchAt(gapPattern, text, parameters.end)?.[0] ?? '';
    at = parameters.end + gap.length;
    if (at < text.length && !gap.includes(',')) malformed();
  }
  return links;
}

const targetPattern = /[ \t,]*<([^<>\s]*)>/y;
const gapPattern = /[ \t]*(?:,[ \t,]*)?/y;
const parameterPattern =
  /[ \t]*;[ \t]*(?:([A-Za-z0-9!#$&+.^_`|~*-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?)?/y;

function parseParameters(
  text: string,
  start: number,
): { readonly relations: readonly string[]; readonly end: number } {
  let relations: readonly string[] = [];
  for (let end = start; ;) {
    const match = matchAt(parameterPattern, text, end);
    if (match === undefined) return { relations, end };
    const [whole = '', name, quoted, plain] = match;
    end += whole.length;
    if (name?.toLowerCase() === 'rel') relations = (quoted ?? plain ?? '').toLowerCase().split(/\s+/);
  }
}

function matchAt(pattern: RegExp, text: string, at: number): readonly (string | undefined)[] | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function malformed(): never {
  return refuse('the Link header is malformed');
}

function nextTarget(links: readonly Link[]): string | undefined {
  return links.find((link) => link.relations.includes('next'))?.target;
}

/** Some registries leave the brackets out: `/v2/a/tags/list?last=b; rel="next"`. */
function bareTarget(text: string): string | undefined {
  const [address = '', ...parameters] = text.split(';');
  const isNext = parameters.some((parameter) => /^\s*rel\s*=\s*"?next"?\s*$/i.test(parameter));
  return isNext ? address.trim() : undefined;
}

function refuse(detail: string): never {
  throw new Failure('ListingIncomplete', { detail });
}
