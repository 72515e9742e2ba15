import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { inProcessApi, newRepository, newSecret } from '../support/api-in-process.ts';

const repositories = '/namespaces/default/repositories';
const minute = 60_000;

/** A stream that somebody watches; `later` lets a minute go by, after which the caller's right is asked for again. */
async function watching(context: TestContext) {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const clock = { now: Date.now() };
  const api = inProcessApi({ now: () => new Date(clock.now) });
  await api.call('POST', '/namespaces/default/registry-secrets', newSecret('hub'));
  await api.call('POST', repositories, newRepository('nginx'));
  const { body } = await api.call('GET', `${repositories}/nginx/progress`);
  assert.ok(body);
  const reader = body.getReader();
  await reader.read();
  const later = (): void => {
    clock.now += minute;
    context.mock.timers.tick(minute);
  };
  /** Reads over signs of life. */
  const ended = async (): Promise<boolean> => {
    for (let reads = 0; reads < 20; reads += 1) if ((await reader.read()).done) return true;
    return false;
  };
  return { access: api.access, reader, later, ended };
}

test('a stream ends once its caller may not look any more', async (context) => {
  const { access, later, ended } = await watching(context);
  access.allow = () => false;
  later();
  assert.equal(await ended(), true);
});

test('a stream ends once the token it was opened with was taken back, whatever its owner still may', async (context) => {
  const { access, later, ended } = await watching(context);
  access.authenticate = async () => undefined;
  later();
  assert.equal(await ended(), true);
});

test('a stream that is left while its right is being asked for ends once, and takes nobody along', async (context) => {
  const { access, reader, later } = await watching(context);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<boolean>();
  access.authorize = () => {
    asked.resolve();
    return answer.promise;
  };
  later();
  await asked.promise;
  await reader.cancel();
  answer.resolve(false);
  // What nobody catches ends the process, and this test with it.
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
});
