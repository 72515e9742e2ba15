import { Failure } from '../../domain/failure.ts';
import type { AuditEntry } from '../../domain/audit/record.ts';
import type { AuditObject, AuditObjects, AuditSpool } from '../../infra/audit/audit-log.ts';

/** An object store in memory that can be down, slow, or lose the answer of a write that it did. */
export class MemoryAuditObjects implements AuditObjects {
  readonly stored = new Map<string, string>();
  down = false;
  loseNextAnswer = false;
  creates = 0;
  reads = 0;

  async create(key: string, body: string): Promise<boolean> {
    this.#check();
    this.creates += 1;
    await new Promise((resolve) => setImmediate(resolve));
    if (this.stored.has(key)) return false;
    this.stored.set(key, body);
    if (!this.loseNextAnswer) return true;
    this.loseNextAnswer = false;
    return false;
  }

  async replace(key: string, body: string): Promise<void> {
    this.#check();
    this.stored.set(key, body);
  }

  async read(key: string): Promise<string | undefined> {
    this.#check();
    this.reads += 1;
    return this.stored.get(key);
  }

  async remove(key: string): Promise<void> {
    this.#check();
    this.stored.delete(key);
  }

  async *list(prefix: string, after = ''): AsyncIterable<AuditObject> {
    this.#check();
    const keys = [...this.stored.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    yield* keys.map((key) => ({ key, writtenMs: Date.now(), version: `${this.stored.get(key)}` }));
  }

  #check(): void {
    if (this.down) throw new Failure('AuditUnavailable', { side: 'storage' });
  }
}

/** A spool that forgets with its process. */
export class MemorySpool implements AuditSpool {
  readonly entries: AuditEntry[] = [];

  async add(entry: AuditEntry): Promise<void> {
    this.entries.push(entry);
  }

  async drop(count: number): Promise<void> {
    this.entries.splice(0, count);
  }
}
