import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../domain/failure.ts';
import { BandwidthLimiter, type BandwidthLane, type LimiterClock } from '../../../infra/copy/bandwidth.ts';
import { SiteLimits } from '../../../infra/copy/site-limits.ts';

/** Time that passes only when it is told to. */
class HandClock implements LimiterClock {
  #now = 0;
  #calls: { readonly at: number; readonly call: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): () => void {
    const entry = { at: this.#now + ms, call };
    this.#calls.push(entry);
    return () => {
      this.#calls = this.#calls.filter((other) => other !== entry);
    };
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const next = this.#calls.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#calls = this.#calls.filter((other) => other !== next);
      this.#now = next.at;
      next.call();
    }
    this.#now = end;
    await settled();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Sends for ever in pieces of one size; how many bytes got through. */
function transfer(lane: BandwidthLane, piece: number): { bytes: number; stop(): void } {
  const stopping = new AbortController();
  const sent = { bytes: 0, stop: () => stopping.abort() };
  const run = async (): Promise<void> => {
    for (;;) {
      await lane.take(piece, stopping.signal);
      sent.bytes += piece;
    }
  };
  run().catch(() => undefined);
  return sent;
}

const about = (found: number, expected: number, slack: number): void =>
  assert.ok(Math.abs(found - expected) <= slack, `${found} bytes, expected ${expected} ± ${slack}`);

test('a rate is kept over time, with at most a tenth of a second ahead', async () => {
  const clock = new HandClock();
  const sent = transfer(new BandwidthLimiter(1_000_000, clock).lane(), 64_000);
  for (const second of [1, 2, 3, 10]) {
    await clock.pass(second * 1000 - clock.now());
    about(sent.bytes, second * 1_000_000, 100_000 + 64_000);
  }
  sent.stop();
});

test('transfers that share a limiter get the same share, however large their pieces are', async () => {
  const clock = new HandClock();
  const limiter = new BandwidthLimiter(3_000_000, clock);
  const sent = [256_000, 64_000, 10_000].map((piece) => transfer(limiter.lane(), piece));
  await clock.pass(20_000);
  for (const { bytes } of sent) about(bytes, 20_000_000, 600_000);
  about(
    sent.reduce((sum, { bytes }) => sum + bytes, 0),
    60_000_000,
    1_000_000,
  );
  for (const each of sent) each.stop();
});

test('a transfer that joins late shares from then on, and does not catch up', async () => {
  const clock = new HandClock();
  const limiter = new BandwidthLimiter(1_000_000, clock);
  const first = transfer(limiter.lane(), 50_000);
  await clock.pass(10_000);
  const second = transfer(limiter.lane(), 50_000);
  await clock.pass(10_000);
  about(first.bytes, 15_000_000, 300_000);
  about(second.bytes, 5_000_000, 300_000);
  first.stop();
  await clock.pass(10_000);
  about(second.bytes, 15_000_000, 400_000);
  second.stop();
});

test('a new rate counts for transfers that are under way, and so does taking it away', async () => {
  const clock = new HandClock();
  const limits = new SiteLimits(clock);
  limits.learn('edge', { bandwidth: 100_000 });
  const sent = transfer(limits.limiter('edge').lane(), 256_000);
  await clock.pass(10_000);
  about(sent.bytes, 1_000_000, 300_000);
  limits.learn('edge', { bandwidth: 10_000_000 });
  await clock.pass(1000);
  about(sent.bytes, 11_000_000, 1_600_000);
  const before = sent.bytes;
  limits.learn('edge', { bandwidth: 50_000 });
  await clock.pass(20_000);
  about(sent.bytes - before, 1_000_000, 1_100_000);
  sent.stop();
  const lane = limits.limiter('edge').lane();
  const waiting = [lane.take(500_000), lane.take(500_000), lane.take(500_000)];
  limits.learn('edge', {});
  for (const each of waiting) await each;
  assert.equal(lane.take(500_000), undefined, 'without a limit nothing waits');
});

test('each site has a limit of its own', async () => {
  const clock = new HandClock();
  const limits = new SiteLimits(clock);
  limits.learn('a', { bandwidth: 1_000_000 });
  limits.learn('b', { bandwidth: 2_000_000 });
  const [a, b] = ['a', 'b'].map((site) => transfer(limits.limiter(site).lane(), 10_000));
  await clock.pass(10_000);
  about(a?.bytes ?? 0, 10_000_000, 200_000);
  about(b?.bytes ?? 0, 20_000_000, 300_000);
  a?.stop();
  b?.stop();
});

test('a transfer that is cancelled while it waits leaves the others their turn', async () => {
  const clock = new HandClock();
  const limiter = new BandwidthLimiter(1000, clock);
  const stopping = new AbortController();
  void limiter.lane().take(10_000);
  const cancelled = limiter.lane().take(1_000_000, stopping.signal);
  const next = limiter.lane().take(1000);
  stopping.abort();
  await assert.rejects(
    async () => cancelled,
    (error) => error instanceof Failure && error.code === 'Cancelled',
  );
  await clock.pass(10_000);
  await next;
});
