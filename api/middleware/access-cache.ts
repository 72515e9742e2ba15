import { createHash } from 'node:crypto';
import type { AccessQuestion, AccessReviewer, Caller } from '../../infra/kubernetes/cluster.ts';

/** How long a yes and a no are kept, in milliseconds (faults.md, 4.1): a taken right is gone within ten seconds. */
const allowMs = 10_000;
const denyMs = 5_000;
/** Decisions kept at once. */
const maximumEntries = 20_000;

interface Entry<T> {
  readonly value: Promise<T>;
  expires: number;
}

/** Keeps the cluster's answers for a short time. Asks once for the same thing at the same time; keeps no failure. */
export class CachedAccess implements AccessReviewer {
  readonly #inner: AccessReviewer;
  readonly #now: () => Date;
  readonly #callers = new Map<string, Entry<Caller | undefined>>();
  readonly #decisions = new Map<string, Entry<boolean>>();

  constructor(inner: AccessReviewer, now: () => Date) {
    this.#inner = inner;
    this.#now = now;
  }

  /** Tokens are remembered by their hash only. */
  authenticate(token: string): Promise<Caller | undefined> {
    const key = createHash('sha256').update(token).digest('base64');
    return this.#through(
      this.#callers,
      key,
      () => this.#inner.authenticate(token),
      () => expiryOf(token),
    );
  }

  authorize(caller: Caller, question: AccessQuestion): Promise<boolean> {
    const key = JSON.stringify([caller, question]);
    return this.#through(this.#decisions, key, () => this.#inner.authorize(caller, question));
  }

  #through<T>(
    entries: Map<string, Entry<T>>,
    key: string,
    ask: () => Promise<T>,
    latestOf = () => Number.POSITIVE_INFINITY,
  ): Promise<T> {
    const now = this.#now().getTime();
    const known = entries.get(key);
    if (known !== undefined && known.expires > now) return known.value;
    const latest = latestOf();
    const entry: Entry<T> = { value: ask(), expires: Math.min(now + denyMs, latest) };
    entries.delete(key);
    entries.set(key, entry);
    const oldest = entries.keys().next().value;
    if (entries.size > maximumEntries && oldest !== undefined) entries.delete(oldest);
    entry.value.then(
      (answer) => {
        if (answer !== undefined && answer !== false) entry.expires = Math.min(now + allowMs, latest);
      },
      () => entries.delete(key),
    );
    return entry.value;
  }
}

/** When a JWT ends, in epoch milliseconds, read without trust only to keep its answer no longer than that. */
function expiryOf(token: string): number {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
    return typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
