import { Failure } from '../failure.ts';

/** One challenge of a `WWW-Authenticate` header. Scheme and parameter names are in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** The single opaque value that some schemes send instead of parameters. */
  readonly token68?: string;
}

/** What to do about a 401. */
export type AuthenticationPlan =
  | {
      readonly scheme: 'bearer';
      /** Not checked yet: see `realmGate`. */
      readonly realm: string;
      readonly service?: string;
      readonly scope?: string;
    }
  | { readonly scheme: 'basic' };

/** Characters of all `WWW-Authenticate` headers of one answer together. */
export const maxChallengeLength = 16_384;

/**
 * Parses `WWW-Authenticate` (RFC 9110, 11.6.1), which may hold several challenges, in one header or in several.
 * Throws `UnexpectedResponse` where it is malformed, too long, or gives one parameter two different values.
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  const text = headers.join(', ');
  if (text.length > maxChallengeLength) refuse('too long');
  return new ChallengeParser(text).challenges();
}

/**
 * Chooses how to sign in: Bearer before Basic, in whatever order they came; undefined where neither is offered.
 * Throws `UnexpectedResponse` for a Bearer challenge without realm.
 */
export function planAuthentication(challenges: readonly Challenge[]): AuthenticationPlan | undefined {
  const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
  if (bearer === undefined) {
    return challenges.some((challenge) => challenge.scheme === 'basic') ? { scheme: 'basic' } : undefined;
  }
  const realm = bearer.parameters.get('realm');
  if (realm === undefined || realm === '') return refuse('Bearer without realm');
  const [service, scope] = [bearer.parameters.get('service'), bearer.parameters.get('scope')];
  return {
    scheme: 'bearer',
    realm,
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined || scope === '' ? {} : { scope }),
  };
}

function refuse(detail: string): never {
  throw new Failure('UnexpectedResponse', { detail: `WWW-Authenticate: ${detail}` });
}

const tokenPattern = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const token68Pattern = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const equalsPattern = /[ \t]*=[ \t]*/y;
const separatorPattern = /[ \t,]*/y;
const spacePattern = /[ \t]*/y;
/** A quoted string's plain run; tabs and non-ASCII text are legal in it. */
const quotedRunPattern = /[^"\\]*/y;

class ChallengeParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  challenges(): readonly Challenge[] {
    const found: Challenge[] = [];
    this.#take(separatorPattern);
    while (this.#at < this.#text.length) {
      found.push(this.#challenge());
      this.#take(separatorPattern);
    }
    return found;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #challenge(): Challenge {
    const scheme = (this.#take(tokenPattern) ?? refuse('no scheme')).toLowerCase();
    const parameters = new Map<string, string>();
    if (this.#take(spacePattern) === '') {
      if (this.#at < this.#text.length && this.#text[this.#at] !== ',') refuse('no space after the scheme');
      return { scheme, parameters };
    }
    for (let name = this.#parameterName(); name !== undefined; name = this.#nextParameterName()) {
      const value = this.#value();
      if (parameters.has(name) && parameters.get(name) !== value) refuse('one parameter, two values');
      parameters.set(name, value);
    }
    const token68 = parameters.size === 0 ? this.#take(token68Pattern) : undefined;
    return { scheme, parameters, ...(token68 === undefined ? {} : { token68 }) };
  }

  /** A name and its equals sign; otherwise nothing is consumed. */
  #parameterName(): string | undefined {
    const start = this.#at;
    const name = this.#take(tokenPattern);
    if (name !== undefined && this.#take(equalsPattern) !== undefined && this.#startsValue()) {
      return name.toLowerCase();
    }
    this.#at = start;
    return undefined;
  }

  #startsValue(): boolean {
    const char = this.#text.charAt(this.#at);
    return char !== '' && char !== '=' && char !== ',';
  }

  /** After a comma comes either one more parameter or the next challenge. */
  #nextParameterName(): string | undefined {
    this.#take(spacePattern);
    if (this.#at < this.#text.length && this.#text[this.#at] !== ',') refuse('no comma after a parameter');
    this.#take(separatorPattern);
    return this.#parameterName();
  }

  #value(): string {
    if (this.#text[this.#at] !== '"') return this.#take(tokenPattern) ?? refuse('a parameter without value');
    this.#at += 1;
    let value = '';
    for (;;) {
      value += this.#take(quotedRunPattern) ?? '';
      const char = this.#text[this.#at];
      if (char === undefined) return refuse('a quoted value does not end');
      if (char === '"') break;
      value += this.#text[this.#at + 1] ?? refuse('a quoted value does not end');
      this.#at += 2;
    }
    this.#at += 1;
    return value;
  }
}
