import { RE2JS } from 're2js';
import { Failure } from '../failure.ts';
import { printable } from '../names/digest.ts';

/** Longest pattern a rule may have. */
const maxPatternLength = 256;
/** Most states of a compiled pattern; matching takes time linear in states × length of the tag. */
const maxProgramSize = 1000;

/** Whether a whole tag matches. */
export type TagMatcher = (tag: string) => boolean;

/**
 * A regular expression that has to match the whole tag, in RE2's syntax: no back-references and no look-around, so that
 * no pattern can hang. Throws `InvalidRule` for a pattern that is malformed, too long or too large.
 */
export function regexMatcher(pattern: string): TagMatcher {
  return compile(pattern, pattern);
}

/** A shell-like pattern over the whole tag: `*`, `?`, `[a-c]`, `[!a]` and `{x,y}`. Throws `InvalidRule`. */
export function globMatcher(pattern: string): TagMatcher {
  return compile(globToRegex(pattern), pattern);
}

function compile(expression: string, shown: string): TagMatcher {
  if (shown.length === 0 || shown.length > maxPatternLength)
    refuse(shown, `1 to ${maxPatternLength} characters`);
  const compiled = parse(expression, shown);
  if (compiled.programSize() > maxProgramSize) refuse(shown, 'the pattern is too large');
  return (tag) => compiled.matches(tag);
}

function parse(expression: string, shown: string): RE2JS {
  try {
    return RE2JS.compile(expression);
  } catch {
    return refuse(shown, 'not a valid pattern');
  }
}

function globToRegex(glob: string): string {
  let depth = 0;
  const out = glob.replaceAll(/\[!?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1) return characterClass(part);
    if (part === '{') depth += 1;
    if (part === '}') depth -= 1;
    if (depth < 0) refuse(glob, 'braces do not match');
    if (part === '{') return '(?:';
    if (part === '}') return ')';
    if (part === ',' && depth > 0) return '|';
    return part.replace(/[\\^$.|+()[\]]/, String.raw`\$&`);
  });
  if (depth !== 0) refuse(glob, 'braces do not match');
  return out;
}

/** `[!a-c]` → `[^a-c]`, with everything but ranges taken literally. */
function characterClass(glob: string): string {
  const inner = glob.slice(1, -1);
  const negated = inner.startsWith('!') && inner.length > 1;
  const members = (negated ? inner.slice(1) : inner).replaceAll(/[\\^[\]&]/g, String.raw`\$&`);
  return `[${negated ? '^' : ''}${members}]`;
}

function refuse(pattern: string, detail: string): never {
  throw new Failure('InvalidRule', { side: 'caller', subject: printable(pattern), detail });
}
