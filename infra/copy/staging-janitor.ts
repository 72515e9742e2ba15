import { stagedAt } from '../../domain/lifecycle/system-tags.ts';
import type { ContentTarget } from './content.ts';

const dayMs = 86_400_000;
const maxStores = 10_000;

/**
 * Removes staging tags that a copy left behind when its process died: ours, older than a day, and never more than the tag
 * (faults.md I12). Looks at each store once a day, after a copy to it that went well.
 */
export class StagingJanitor {
  readonly #now: () => number;
  readonly #sweptAt = new Map<string, number>();

  /** Default: the machine's clock. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Never throws: what stays is found again tomorrow. */
  async sweep(target: ContentTarget, signal?: AbortSignal): Promise<void> {
    if (target.gcDeletesUntagged !== true || target.listTags === undefined || !this.#isDue(target.key))
      return;
    try {
      for (const tag of await target.listTags(signal)) {
        const since = stagedAt(tag);
        if (since !== undefined && this.#now() - since > dayMs) await target.removeTag(tag, signal);
      }
    } catch {
      this.#sweptAt.delete(target.key);
    }
  }

  #isDue(key: string): boolean {
    const now = this.#now();
    if (now - (this.#sweptAt.get(key) ?? Number.NEGATIVE_INFINITY) < dayMs) return false;
    if (this.#sweptAt.size >= maxStores) this.#sweptAt.clear();
    this.#sweptAt.set(key, now);
    return true;
  }
}
