import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyedQueue } from '../../../worker/reconcile/keyed-queue.ts';

test('a key is worked on by one worker at a time, and once more when it was added meanwhile', async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const queue = new KeyedQueue(
    async () => {
      running += 1;
      runs += 1;
      most = Math.max(most, running);
      await sleep(20);
      running -= 1;
    },
    { onFailure: () => assert.fail('no failure expected') },
  );
  for (let count = 0; count < 5; count += 1) queue.add('a');
  await sleep(5);
  queue.add('a');
  queue.add('a');
  await sleep(80);
  await queue.stop();
  assert.deepEqual({ most, runs }, { most: 1, runs: 2 });
});

test('no more keys are worked on at once than there are lanes, and every key has its turn', async () => {
  let running = 0;
  let most = 0;
  const done = new Set<string>();
  const queue = new KeyedQueue(
    async (key) => {
      running += 1;
      most = Math.max(most, running);
      await sleep(5);
      running -= 1;
      done.add(key);
    },
    { lanes: 3, onFailure: () => assert.fail('no failure expected') },
  );
  for (let count = 0; count < 20; count += 1) queue.add(`k${count}`);
  while (done.size < 20) await sleep(5);
  await queue.stop();
  assert.equal(most, 3);
});

test('work that fails is told and tried again after a pause', async () => {
  const failures: string[] = [];
  const done = Promise.withResolvers<void>();
  let tries = 0;
  const queue = new KeyedQueue(
    async () => {
      tries += 1;
      if (tries < 3) throw new Error(`try ${tries}`);
      done.resolve();
    },
    { pauseMs: 5, onFailure: (key, error) => failures.push(`${key}: ${String(error)}`) },
  );
  queue.add('a');
  // The queue's own pauses do not keep a process alive; this one does.
  await Promise.race([done.promise, sleep(2000)]);
  await queue.stop();
  assert.deepEqual(failures, ['a: Error: try 1', 'a: Error: try 2']);
});

test('the depth counts what waits, what is worked on and what comes again after a failure', async () => {
  let isBroken = true;
  const queue = new KeyedQueue(
    async (key) => {
      await sleep(10);
      if (key === 'b' && isBroken) throw new Error('not yet');
    },
    { lanes: 1, pauseMs: 30, onFailure: () => (isBroken = false) },
  );
  assert.equal(queue.depth, 0);
  for (const key of ['a', 'b', 'c']) queue.add(key);
  assert.equal(queue.depth, 3);
  await sleep(45);
  assert.equal(queue.depth, 1, 'b comes again');
  for (let turn = 0; turn < 50 && queue.depth > 0; turn += 1) await sleep(10);
  assert.equal(queue.depth, 0);
  await queue.stop();
});
