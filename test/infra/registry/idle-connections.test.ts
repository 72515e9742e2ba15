import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { IdleConnections, type Keepable } from '../../../infra/registry/idle-connections.ts';

/** A connection that knows whether it was closed. */
class Line implements Keepable {
  usable = true;

  destroy(): void {
    this.usable = false;
  }
}

test('the connection that was used last is used next, and a broken one by nobody', () => {
  const idle = new IdleConnections<Line>(3);
  const [one, two, broken] = [new Line(), new Line(), new Line()];
  for (const line of [one, two, broken]) idle.keep(line);
  broken.destroy();
  assert.equal(idle.take(), two);
  assert.equal(idle.take(), one);
  assert.equal(idle.take(), undefined);
  idle.close();
});

test('what is too much is closed, and all of it at the end', () => {
  const idle = new IdleConnections<Line>(1);
  const [one, two] = [new Line(), new Line()];
  idle.keep(one);
  idle.keep(two);
  assert.deepEqual([one.usable, two.usable], [true, false]);
  idle.close();
  assert.equal(one.usable, false);
});

test('a connection that nobody comes for is closed by itself', { timeout: 10_000 }, async () => {
  const idle = new IdleConnections<Line>(2, 20);
  const [one, two] = [new Line(), new Line()];
  idle.keep(one);
  await sleep(10);
  idle.keep(two);
  while (one.usable || two.usable) await sleep(5);
  assert.equal(idle.take(), undefined);
});
