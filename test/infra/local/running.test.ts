import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { choosePorts, assertFree } from '../../../infra/local/ports.ts';
import { start } from '../../../infra/local/process.ts';
import { claim, FolderInUse, record, stopAllLeftovers, stopLeftovers } from '../../../infra/local/running.ts';
import { createServer } from 'node:net';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-running-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const sleeper = () =>
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: true });

test('what a killed start left running is stopped, known by pid and start time', async () => {
  const left = sleeper();
  record(folder, 'left', left.pid ?? 0);
  const ended = once(left, 'exit');
  assert.deepEqual(await stopLeftovers(folder), ['left']);
  await ended;
  assert.deepEqual(await stopLeftovers(folder), []);
});

test('a test that was killed leaves nothing running, though its stack has a folder of its own', async () => {
  const inner = join(folder, 'imageferry-restarts-1');
  const used = join(folder, 'imageferry-restarts-2');
  const [outside, left, others] = [sleeper(), sleeper(), sleeper()];
  record(folder, 'outside', outside.pid ?? 0);
  record(inner, 'left', left.pid ?? 0);
  record(used, 'others', others.pid ?? 0);
  const held = claim(used);
  const ended = Promise.all([once(outside, 'exit'), once(left, 'exit')]);
  assert.deepEqual((await stopAllLeftovers(folder)).toSorted(), ['left', 'outside']);
  await ended;
  assert.equal(others.exitCode ?? others.signalCode, null);
  held.release();
  assert.deepEqual(await stopAllLeftovers(folder), ['others']);
});

test('a pid that another process has by now is left alone', async () => {
  const stranger = sleeper();
  mkdirSync(join(folder, 'run'), { recursive: true });
  const stale = { name: 'gone', pid: stranger.pid, since: '1' };
  writeFileSync(join(folder, 'run', 'gone.json'), JSON.stringify(stale));
  assert.deepEqual(await stopLeftovers(folder), []);
  assert.equal(stranger.exitCode, null);
  stranger.kill('SIGKILL');
});

test('a folder serves one start at a time', () => {
  const held = claim(folder);
  assert.throws(() => claim(folder), FolderInUse);
  held.release();
  claim(folder).release();
});

test('a server that ends at its start fails with the last lines of its log', async () => {
  const ended = start(folder, {
    name: 'broken',
    program: process.execPath,
    args: ['-e', 'console.log("no such option: --frobnicate"); process.exit(3)'],
    ready: () => Promise.reject(new Error('not yet')),
  });
  await assert.rejects(ended, /broken ended at its start \(exit code 3\)[\s\S]*--frobnicate/);
});

test('a taken port is told with the variable that changes it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const ports = await choosePorts(false, { API_PORT: String(port) });
  await assert.rejects(assertFree(ports, ['api']), new RegExp(`port ${port} .*API_PORT=`));
  server.close();
});

test('a port variable that is no port is refused by name', async () => {
  await assert.rejects(choosePorts(false, { EDGE_PORT: '70000' }), /EDGE_PORT=70000 is not a port/);
});

test('random ports are all different', async () => {
  const ports = Object.values(await choosePorts(true, {}));
  assert.equal(new Set(ports).size, ports.length);
});
