import { isJsonArray, isJsonObject, type JsonValue } from '../image/strict-json.ts';
import { parseDigest, type Digest } from '../names/digest.ts';

/** Refuses the document, with a reason for people. */
export type RefuseDocument = (detail: string) => never;

/**
 * Reads an object of a signed document: each field by its type, and no field that the format does not have, so that
 * nothing signed is ever overlooked.
 */
export class SignedFields {
  readonly #object: Readonly<Record<string, JsonValue>>;
  readonly #refuse: RefuseDocument;
  readonly #where: string;

  constructor(value: JsonValue | undefined, where: string, names: readonly string[], refuse: RefuseDocument) {
    this.#refuse = refuse;
    this.#where = where;
    this.#object = isJsonObject(value) ? value : refuse(`${where} is not an object`);
    const unknown = Object.keys(this.#object).find((name) => !names.includes(name));
    if (unknown !== undefined) refuse(`${where} has an unknown field`);
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined;
  }

  raw(name: string): JsonValue | undefined {
    return this.#object[name];
  }

  text(name: string): string {
    const value = this.#object[name];
    return typeof value === 'string' ? value : this.#refuse(`${this.#where}.${name} is not a text`);
  }

  flag(name: string): boolean {
    const value = this.#object[name];
    return typeof value === 'boolean' ? value : this.#refuse(`${this.#where}.${name} is not true or false`);
  }

  /** A whole number from `least` to 2^53 - 1. */
  count(name: string, least: number): number {
    const value = this.#object[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
    return this.#refuse(`${this.#where}.${name} is not a whole number from ${least}`);
  }

  list(name: string, most: number): readonly JsonValue[] {
    const value = this.#object[name];
    if (!isJsonArray(value)) return this.#refuse(`${this.#where}.${name} is not a list`);
    return value.length <= most
      ? value
      : this.#refuse(`${this.#where}.${name} has more than ${most} entries`);
  }

  /** A sha256 digest: the only kind that a pool and a layout store. */
  digest(name: string): Digest {
    const digest = parseDigest(this.text(name));
    return digest.startsWith('sha256:') ? digest : this.#refuse(`${this.#where}.${name} is not sha256`);
  }

  /** RFC 3339 UTC in whole milliseconds, in the one spelling that `Date.toISOString` prints. */
  time(name: string): string {
    const text = this.text(name);
    const parsed = Date.parse(text);
    const exact = !Number.isNaN(parsed) && new Date(parsed).toISOString() === text;
    return exact ? text : this.#refuse(`${this.#where}.${name} is not a time`);
  }
}
