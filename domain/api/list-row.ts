/**
 * An item as lists keep it, with the texts that were made of it. An item that changes is another row, so each text is
 * made at most once: searches look at every row, and pages answer the same ones again and again.
 */
export class ListRow<T> {
  readonly item: T;
  /** Unique among the rows of a list. */
  readonly identity: string;
  readonly #texts = new Map<string, string>();

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
}
