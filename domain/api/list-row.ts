/**
 * An item as lists keep it, with what was made of it. An item that changes is another row, so each is made
 * at most once: searches look at every row, and pages answer the same ones again and again.
 */
export class ListRow<T> {
  readonly item: T;
  /** Unique among the rows of a list. */
  readonly identity: string;
  readonly #texts = new Map<string, string>();
  #json: Uint8Array | undefined;

  constructor(item: T, identity: string) {
    this.item = item;
    this.identity = identity;
  }

  /** The text called `name`, made of the item where nobody asked for it before. */
  text(name: string, make: (item: T) => string): string {
    const known = this.#texts.get(name);
    if (known !== undefined) return known;
    const made = make(this.item);
    this.#texts.set(name, made);
    return made;
  }

  /** The JSON, in UTF-8, of the item as `show` shows it, which must always be the same. */
  json(show: (item: T) => object): Uint8Array {
    this.#json ??= utf8(JSON.stringify(show(this.item)));
    return this.#json;
  }
}

const encoder = new TextEncoder();
const utf8 = (text: string): Uint8Array => encoder.encode(text);
