import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { Failure } from '../../../domain/failure.ts';
import type { OtherwiseSealed, ScheduleSeals } from '../../../infra/temporal/schedule-seals.ts';
import { startSealing, type SealingDependencies } from '../../../worker/reconcile/seals.ts';

/** Temporal's Schedules and the keys that seal them; `refuse` answers for those that cannot be written. */
class Schedules {
  readonly keys = new Map<string, string>();
  writes = 0;
  refuse: (id: string) => Failure | undefined = () => undefined;

  constructor(count: number, key: string) {
    for (let index = 0; index < count; index += 1) this.keys.set(`resync/shop/${index}`, key);
  }

  /** As a process with these keys sees them. */
  seals(...keys: readonly string[]) {
    const [first = ''] = keys;
    return {
      keys,
      otherwise: async (): Promise<readonly OtherwiseSealed[]> =>
        [...this.keys].filter(([, key]) => key !== first).map(([scheduleId, key]) => ({ scheduleId, key })),
      renew: async (id) => {
        const failure = this.refuse(id);
        if (failure !== undefined) throw failure;
        if (this.keys.get(id) === first) return false;
        this.writes += 1;
        this.keys.set(id, first);
        return true;
      },
    } satisfies ScheduleSeals;
  }

  count(key: string): number {
    return [...this.keys.values()].filter((seal) => seal === key).length;
  }
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => void (await Promise.all(stops.splice(0).map((stop) => stop()))));

/** A process that looks every few milliseconds, what it showed last and what it logged. */
function sealing(seals: ScheduleSeals, more: Partial<SealingDependencies> = {}) {
  const lines: string[] = [];
  const shown: Record<string, number>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const gauge = {
    show: (counts: ReadonlyMap<string, number>) => void shown.push(Object.fromEntries(counts)),
  };
  const stop = startSealing({ seals, gauge, log, lookMs: 10, pauseMs: 0, ...more });
  stops.push(stop);
  return { stop, shown, told: (text: string) => lines.filter((line) => line.includes(text)) };
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (isSo()) return;
    await sleep(5);
  }
  throw new Error(`waited in vain for ${what}`);
}

test('what an old key seals is sealed anew at the start, and how much is left is shown for every key', async () => {
  const schedules = new Schedules(3, 'one');
  const { stop, shown, told } = sealing(schedules.seals('two', 'one', 'zero'));
  await until('all sealed', () => schedules.count('two') === 3 && shown.length > 4);
  await stop();
  assert.deepEqual(
    shown.slice(0, 4).map(({ one }) => one),
    [3, 2, 1, 0],
  );
  assert.deepEqual(shown.at(-1), { one: 0, zero: 0 });
  assert.equal(schedules.writes, 3);
  assert.equal(told('CodecKeyMissing').length, 0);
});

test('one that cannot be sealed anew is told by its code, and holds up no other', async () => {
  const schedules = new Schedules(20, 'one');
  schedules.refuse = (id) =>
    id.endsWith('/3') ? new Failure('CodecKeyMissing', { subject: 'key one' }) : undefined;
  const { stop, shown, told } = sealing(schedules.seals('two', 'one'));
  await until('the others', () => schedules.count('two') === 19 && shown.length > 25);
  await stop();
  assert.deepEqual(shown.at(-1), { one: 1 });
  assert.equal(told('CodecKeyMissing').length, 1);
  assert.match(told('CodecKeyMissing')[0] ?? '', /resync\/shop\/3/);
});

test('a Temporal that is away is asked again at the next look, not for each Schedule', async () => {
  const schedules = new Schedules(100, 'one');
  let [tries, looks, isAway] = [0, 0, true];
  schedules.refuse = () => {
    tries += 1;
    return isAway ? new Failure('EngineUnavailable', { side: 'cluster' }) : undefined;
  };
  const seals = schedules.seals('two', 'one');
  const counted = async () => {
    looks += 1;
    return seals.otherwise();
  };
  const { stop, told } = sealing({ ...seals, otherwise: counted });
  await until('three looks', () => looks >= 3);
  isAway = false;
  assert.ok(tries <= 5 * looks, `${tries} tries in ${looks} looks`);
  assert.equal(told('EngineUnavailable').length, tries);
  await until('all sealed', () => schedules.count('two') === 100);
  await stop();
});

test('a list that cannot be had is told, and asked for again', async () => {
  const schedules = new Schedules(2, 'one');
  const seals = schedules.seals('two', 'one');
  let asked = 0;
  const flaky = async () => {
    asked += 1;
    if (asked < 3) throw new Failure('EngineUnavailable', { side: 'cluster' });
    return seals.otherwise();
  };
  const { stop, told } = sealing({ ...seals, otherwise: flaky });
  await until('all sealed', () => schedules.count('two') === 2);
  await stop();
  assert.equal(told('EngineUnavailable').length, 2);
});

test('in the midst of a roll-out two processes undo the work of each other once an hour, not at every look', async () => {
  const schedules = new Schedules(10, 'one');
  const older = sealing(schedules.seals('one', 'two'));
  await until('a look', () => older.shown.length > 2);
  const newer = sealing(schedules.seals('two', 'one'));
  await until('many looks', () => older.shown.length > 20 && newer.shown.length > 20);
  assert.equal(schedules.writes, 10);
  assert.equal(schedules.count('two'), 10);
  await older.stop();
  const last = sealing(schedules.seals('one', 'two'), { roundMs: 1 });
  const restarted = sealing(schedules.seals('two', 'one'), { roundMs: 1 });
  await last.stop();
  await until('what the last one with the old order did is made good', () => schedules.count('two') === 10);
  await Promise.all([newer.stop(), restarted.stop()]);
});

test('Schedules sealed with a key that is not here are told by its id, and sealed anew', async () => {
  const schedules = new Schedules(3, 'lost');
  const { stop, shown, told } = sealing(schedules.seals('two'));
  await until('all sealed', () => schedules.count('two') === 3 && told('anew').length > 1);
  await until('a look', () => Object.keys(shown.at(-1) ?? {}).length === 0);
  await stop();
  const [warning, ...more] = told('CodecKeyMissing');
  assert.equal(more.length, 0);
  assert.deepEqual(
    (({ key, schedules: count }: { key?: string; schedules?: number }) => [key, count])(
      JSON.parse(warning ?? '{}'),
    ),
    ['lost', 3],
  );
});

test('a process that is told to stop ends in the midst of a round', async () => {
  const schedules = new Schedules(1000, 'one');
  const { stop } = sealing(schedules.seals('two', 'one'), { pauseMs: 60_000 });
  await until('the first', () => schedules.writes === 1);
  await stop();
  assert.equal(schedules.writes, 1);
});
