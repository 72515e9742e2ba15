import type { Digest } from '../../domain/names/digest.ts';
import type { ContentTarget } from './content.ts';
import { SingleFlight } from './single-flight.ts';

/** Milliseconds that a proof is worth something. */
const worthMs = 60_000;
const maxProofs = 100_000;

/**
 * What was read back from a target moments ago: images that share layers need not look at them again each. Never used
 * where a garbage collection may run, and dropped for a target that contradicts it.
 */
export class ProvenParts {
  readonly #until = new Map<string, Map<Digest, number>>();
  readonly #looking = new SingleFlight();
  #count = 0;

  has(target: ContentTarget, digest: Digest): boolean {
    return !isCollected(target) && (this.#until.get(target.key)?.get(digest) ?? 0) > performance.now();
  }

  add(target: ContentTarget, digest: Digest): void {
    if (isCollected(target)) return;
    if (this.#count >= maxProofs) this.#clear();
    const parts = this.#until.get(target.key) ?? new Map<Digest, number>();
    this.#until.set(target.key, parts.set(digest, performance.now() + worthMs));
    this.#count += 1;
  }

  /** Whether a part is there. Images that meet at one look at it once; what another look did not find is looked for again. */
  async prove(target: ContentTarget, digest: Digest, look: () => Promise<boolean>): Promise<boolean> {
    if (isCollected(target)) return look();
    if (this.has(target, digest)) return true;
    let isOwn = false;
    const found = this.#looking.run(`${target.key} ${digest}`, () => {
      isOwn = true;
      return look();
    });
    const isThere = isOwn ? await found : (await found.catch(() => false)) || (await look());
    if (isThere) this.add(target, digest);
    return isThere;
  }

  /** The target showed that it lost something: nothing that it showed before counts. */
  drop(target: ContentTarget): void {
    this.#until.delete(target.key);
  }

  #clear(): void {
    this.#until.clear();
    this.#count = 0;
  }
}

/** Whether the target may lose blobs that nothing refers to yet: then nothing it showed before counts. */
export function isCollected(target: ContentTarget): boolean {
  return (target.gcSettleSeconds ?? 0) > 0 || target.gcDeletesUntagged === true;
}
