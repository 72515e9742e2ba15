import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { installed } from '../../../infra/local/install/cache.ts';
import { tryLock } from '../../../infra/local/install/lock.ts';
import { quietProgress } from '../../../infra/local/install/progress.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-cache-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const installer = join(import.meta.dirname, '../../support/slow-install.ts');

/** Another process that installs `tool` slowly into `cache`, writing down each time that it really does. */
function otherInstall(cache: string, milliseconds: number) {
  const child = spawn(process.execPath, [installer, cache, String(milliseconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    child,
    busy: new Promise((resolve) => child.stdout.once('data', resolve)),
    ended: new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code))),
  };
}

const timesInstalled = (cache: string): number =>
  readFileSync(join(cache, 'installs'), 'utf8').split('\n').length - 1;

test('two starts at once install a program once, and both get it', async () => {
  const cache = join(folder, 'two');
  mkdirSync(cache);
  const both = [otherInstall(cache, 400), otherInstall(cache, 400)];
  assert.deepEqual(await Promise.all(both.map(({ ended }) => ended)), [0, 0]);
  assert.equal(timesInstalled(cache), 1);
});

test('after a kill -9 in the middle, the next start installs it whole and removes the half', async () => {
  const cache = join(folder, 'killed');
  mkdirSync(cache);
  const first = otherInstall(cache, 60_000);
  await first.busy;
  first.child.kill('SIGKILL');
  await first.ended;
  assert.ok(readdirSync(cache).some((name) => name.includes('.making-')));
  assert.equal(await otherInstall(cache, 0).ended, 0);
  assert.equal(timesInstalled(cache), 2);
  assert.deepEqual(
    readdirSync(cache).filter((name) => name.includes('.making-')),
    [],
  );
});

test('a failed install leaves nothing that looks installed', async () => {
  const cache = join(folder, 'failed');
  const part = {
    name: 'tool',
    version: '1',
    install: async (target: string) => {
      writeFileSync(join(target, 'half'), '');
      throw new Error('disk full');
    },
  };
  const silent = {
    ...quietProgress,
    begin: () => ({ detail: () => {}, done: () => {}, failed: () => {} }),
  };
  await assert.rejects(installed(part, silent, cache), /disk full/);
  assert.ok(readdirSync(cache).every((name) => name.includes('.lock')));
});

test('a lock is free again when its holder lets go', () => {
  const path = join(folder, 'lock');
  const held = tryLock(path);
  assert.equal(tryLock(path), undefined);
  held?.release();
  const again = tryLock(path);
  assert.ok(again !== undefined && existsSync(path));
  again.release();
});
