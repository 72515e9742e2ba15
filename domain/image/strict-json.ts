import { Failure, type FailureCode } from '../failure.ts';

/** A JSON value as {@link parseStrictJson} makes it. Objects have no prototype. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** What a document may cost, and how its refusal is called. */
export interface JsonLimits {
  /** The code of every refusal. */
  readonly code: FailureCode;
  /** Bytes. Default: 4 MiB. */
  readonly maxBytes?: number;
  /** Arrays and objects inside one another. Default: 64. */
  readonly maxDepth?: number;
  /** What is parsed, for the message; never its text. Default: none. */
  readonly subject?: string;
}

/**
 * Parses JSON (RFC 8259) so that no two readers can understand it differently: refuses duplicate keys, `__proto__`,
 * a byte order mark, invalid UTF-8, lone surrogates, integers beyond 2^53, numbers that overflow, trailing garbage and
 * deep nesting. Time is linear in the size. Throws a `Failure` of the given code that says what is wrong and at which
 * character, and never quotes the text.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): JsonValue {
  const refuse = (detail: string): never => {
    throw new Failure(limits.code, {
      detail,
      ...(limits.subject === undefined ? {} : { subject: limits.subject }),
    });
  };
  const maxBytes = limits.maxBytes ?? 4 * 1024 * 1024;
  if (bytes.byteLength > maxBytes) return refuse(`more than ${maxBytes} bytes`);
  return new Parser(decodeUtf8(bytes, refuse), limits.maxDepth ?? 64, refuse).document();
}

/** Narrows a JSON value to an object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Narrows a JSON value to an array. */
export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function decodeUtf8(bytes: Uint8Array, refuse: (detail: string) => never): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('not valid UTF-8');
  }
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** Everything up to the next quote, escape or control character; sticky, so each character is looked at once. */
// eslint-disable-next-line no-control-regex -- JSON forbids exactly these in strings
const plainPattern = /[^"\\\u0000-\u001f]*/y;
const hexPattern = /[0-9a-fA-F]{4}/y;

class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #refuseWith: (detail: string) => never;
  #at = 0;

  constructor(text: string, maxDepth: number, refuse: (detail: string) => never) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#refuseWith = refuse;
  }

  document(): JsonValue {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#refuse('something follows the document');
    return value;
  }

  #refuse(detail: string): never {
    return this.#refuseWith(`${detail}, character ${this.#at}`);
  }

  #space(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  #value(depth: number): JsonValue {
    this.#space();
    switch (this.#text.charAt(this.#at)) {
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #word<T extends boolean | null>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#refuse('not JSON');
    this.#at += word.length;
    return value;
  }

  #sticky(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #number(): number {
    const text = this.#sticky(numberPattern);
    if (text === undefined) return this.#refuse('not JSON');
    const value = Number(text);
    if (!Number.isFinite(value)) this.#refuse('a number is too large');
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) this.#refuse('an integer is beyond 2^53');
    return value;
  }

  #string(): string {
    this.#at += 1;
    const parts: string[] = [];
    for (;;) {
      parts.push(this.#sticky(plainPattern) ?? '');
      const char = this.#text[this.#at];
      if (char === '"') break;
      if (char !== '\\') this.#refuse('a string does not end, or holds a control character');
      parts.push(this.#escape());
    }
    this.#at += 1;
    const text = parts.length === 1 ? (parts[0] ?? '') : parts.join('');
    if (!text.isWellFormed()) this.#refuse('a string holds half a surrogate pair');
    return text;
  }

  #escape(): string {
    const char = this.#text[this.#at + 1] ?? '';
    this.#at += 2;
    if (char !== 'u') return escapes[char] ?? this.#refuse('an unknown escape');
    const hex = this.#sticky(hexPattern) ?? this.#refuse('a broken escape');
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #enter(depth: number): void {
    if (depth > this.#maxDepth) this.#refuse(`nested more than ${this.#maxDepth} deep`);
    this.#at += 1;
    this.#space();
  }

  /** After an element: true for a comma, false for the closing character. */
  #more(close: string): boolean {
    this.#space();
    const char = this.#text[this.#at];
    if (char !== ',' && char !== close) this.#refuse('not JSON');
    this.#at += 1;
    return char === ',';
  }

  #array(depth: number): readonly JsonValue[] {
    this.#enter(depth);
    const values: JsonValue[] = [];
    if (this.#text[this.#at] === ']') {
      this.#at += 1;
      return values;
    }
    do values.push(this.#value(depth));
    while (this.#more(']'));
    return values;
  }

  #object(depth: number): JsonObject {
    this.#enter(depth);
    const object: Record<string, JsonValue> = Object.create(null) as Record<string, JsonValue>;
    if (this.#text[this.#at] === '}') {
      this.#at += 1;
      return object;
    }
    do {
      const key = this.#key();
      if (Object.hasOwn(object, key)) this.#refuse('a key comes twice');
      object[key] = this.#value(depth);
    } while (this.#more('}'));
    return object;
  }

  #key(): string {
    this.#space();
    if (this.#text[this.#at] !== '"') this.#refuse('not JSON');
    const key = this.#string();
    if (key === '__proto__') this.#refuse('the key __proto__');
    this.#space();
    if (this.#text[this.#at] !== ':') this.#refuse('not JSON');
    this.#at += 1;
    return key;
  }
}
