import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { watchPresence } from '../../infra/kubernetes/presence.ts';
import { endpoints } from '../support/stack.ts';

test('a worker that lives says so, and the API shows for how long none did', async () => {
  const watch = watchPresence(connectCluster(endpoints().kubeconfig), (error) => assert.fail(String(error)));
  await sleep(45_000);
  const silence = watch.silenceMs();
  watch.stop();
  assert.ok(silence < 30_000, `${silence} ms`);
  const page = await (await fetch(new URL('/metrics', endpoints().api))).text();
  const [, shown] = /^imageferry_worker_silence_seconds ([\d.]+)$/m.exec(page) ?? [];
  assert.ok(Number(shown) < 30, String(shown));
});
