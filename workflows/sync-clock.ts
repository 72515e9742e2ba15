import { CancellationScope, isCancellation, patched, sleep } from '@temporalio/workflow';
import type { FailureFacts } from '../domain/sync/failure-facts.ts';
import { sitePatience, type SyncPlan } from '../domain/sync/plan.ts';
import { factsOfError, foundNobody, wasLeft } from './failure.ts';

/** A copy that a site's own worker is asked for. */
interface Errand {
  readonly scope: CancellationScope;
  readonly ended: Promise<unknown>;
  /** Set when the time was up before it ended. */
  isCalledOff: boolean;
}

/**
 * The time that a sync may take. What it waited for sites whose own workers took no work is no part of it: when the time is
 * up, copies that nobody is at are left to the desks of their sites, and the rest has the time that went by with them.
 */
export class SyncClock {
  readonly #patience: number;
  readonly #errands = new Set<Errand>();
  readonly #away = new Set<string>();
  /** What is under way, and why it was stopped. */
  #work: CancellationScope | undefined;
  #stoppedBy: FailureFacts | undefined;
  #endsAt: number;
  #givenBackMs: number;
  /** Until when waiting was counted: several sites may be waited for at once. */
  #countedUntil = 0;

  /** `started`: RFC 3339 UTC. `givenBackMs`: what earlier runs of the same sync gave back. */
  constructor(plan: SyncPlan, started: string, givenBackMs = 0) {
    this.#patience = sitePatience(plan);
    this.#endsAt = Date.parse(started) + plan.timeoutMs + givenBackMs;
    this.#givenBackMs = givenBackMs;
  }

  /** Milliseconds that were waited for sites that took no work. */
  get givenBackMs(): number {
    return this.#givenBackMs;
  }

  /** Runs work while there is time. Returns what stopped it: its own failure, `SyncTimeout`, `Cancelled`, or what {@link stop} was told. */
  async inTime(work: () => Promise<void>): Promise<FailureFacts | undefined> {
    const outside = CancellationScope.current();
    const inside = new CancellationScope();
    this.#work = inside;
    try {
      await inside.run(() => this.#ticking(inside, work));
      return undefined;
    } catch (error) {
      if (!isCancellation(error)) return factsOfError(error);
      inside.cancel();
      return outside.consideredCancelled
        ? { code: 'Cancelled' }
        : (this.#stoppedBy ?? { code: 'SyncTimeout' });
    }
  }

  /** Calls off the work that is under way. */
  stop(why: FailureFacts): void {
    this.#stoppedBy = why;
    this.#work?.cancel();
  }

  /** One copy by a site's own worker. Undefined where nobody there is at it, or nobody was found there before. */
  async atSite<T>(site: string, copy: () => Promise<T>): Promise<T | undefined> {
    // Runs that began before there was this do not call off one copy without the others.
    if (!patched('absence-takes-no-time')) return copy().catch(ifNobody);
    if (this.#away.has(site)) return undefined;
    const outside = CancellationScope.current();
    const since = Date.now();
    const scope = new CancellationScope();
    const ended = scope.run(copy);
    const errand: Errand = { scope, ended, isCalledOff: false };
    this.#errands.add(errand);
    try {
      return await ended;
    } catch (error) {
      const isLeft = errand.isCalledOff && !outside.consideredCancelled && wasLeft(error);
      if (!isLeft) ifNobody(error);
      this.#away.add(site);
      this.#giveBack(since);
      return undefined;
    } finally {
      this.#errands.delete(errand);
    }
  }

  async #ticking(inside: CancellationScope, work: () => Promise<void>): Promise<void> {
    const alarm = new CancellationScope();
    void alarm
      .run(() => this.#timeUp())
      .then(
        () => inside.cancel(),
        // The work ended first.
        () => undefined,
      );
    try {
      await work();
    } finally {
      alarm.cancel();
    }
  }

  async #timeUp(): Promise<void> {
    for (;;) {
      do await sleep(Math.max(1, this.#endsAt - Date.now()), { summary: 'Time is up (syncTimeout)' });
      while (Date.now() < this.#endsAt);
      const known = this.#away.size;
      await this.#callOff();
      if (this.#away.size === known) return;
    }
  }

  /** How a copy ends that is called off tells whether somebody was at it. One that was cut off ends the work. */
  async #callOff(): Promise<void> {
    const errands = [...this.#errands];
    for (const errand of errands) {
      errand.isCalledOff = true;
      errand.scope.cancel();
    }
    await Promise.allSettled(errands.map(({ ended }) => ended));
  }

  #giveBack(since: number): void {
    const now = Date.now();
    const waited = now - Math.max(since, now - this.#patience, this.#countedUntil);
    this.#endsAt += waited;
    this.#givenBackMs += waited;
    this.#countedUntil = now;
  }
}

function ifNobody(error: unknown): undefined {
  if (!foundNobody(error)) throw error;
  return undefined;
}
