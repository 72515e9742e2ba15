import type { AuditRecord } from '../../domain/audit/record.ts';

/** Records kept by default: some 20 MB, and more than a busy day of one API. */
const defaultMost = 20_000;

/**
 * Remembers the records of stored objects, so that a page of the log costs one list and what is new. An object is known by
 * its key and its version (ETag): one that somebody changed is read again. The least recently used go first.
 */
export class RecordMemory {
  readonly #most: number;
  readonly #objects = new Map<string, readonly AuditRecord[]>();
  #records = 0;

  /** `most`: records kept. Default 20,000. */
  constructor(most = defaultMost) {
    this.#most = most;
  }

  find(key: string, version: string): readonly AuditRecord[] | undefined {
    const name = nameOf(key, version);
    const records = this.#objects.get(name);
    if (records === undefined) return undefined;
    this.#objects.delete(name);
    this.#objects.set(name, records);
    return records;
  }

  keep(key: string, version: string, records: readonly AuditRecord[]): void {
    const name = nameOf(key, version);
    this.#drop(name);
    this.#objects.set(name, records);
    this.#records += records.length;
    for (const oldest of this.#objects.keys()) {
      if (this.#records <= this.#most) return;
      this.#drop(oldest);
    }
  }

  #drop(name: string): void {
    this.#records -= this.#objects.get(name)?.length ?? 0;
    this.#objects.delete(name);
  }
}

const nameOf = (key: string, version: string): string => `${version} ${key}`;
