import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { watchPresence } from '../../infra/kubernetes/presence.ts';
import { endpoints } from '../support/stack.ts';

/** Waits until a silence that grew is broken by a sign of life, as it can only be by one; where none comes it fails. */
async function broken(silence: () => Promise<number>): Promise<void> {
  let longest = 0;
  for (const end = performance.now() + 40_000; performance.now() < end; await sleep(250)) {
    const now = await silence();
    if (now < longest) return;
    longest = now;
  }
  assert.fail(`silent for ${longest} ms`);
}

async function shownByApi(): Promise<number> {
  const page = await (await fetch(new URL('/metrics', endpoints().api))).text();
  const [, shown = ''] = /^imageferry_worker_silence_seconds ([\d.]+)$/m.exec(page) ?? [];
  assert.notEqual(shown, '', page);
  return Number(shown) * 1000;
}

test('a worker that lives says so, and the API shows for how long none did', async () => {
  const { kubeconfig } = endpoints();
  const watch = watchPresence(connectCluster(kubeconfig), (error) => assert.fail(String(error)), 500);
  // the first look finds what it did not know, which is no sign of life
  await sleep(1500);
  await Promise.all([broken(async () => watch.silenceMs()), broken(shownByApi)]);
  watch.stop();
});
