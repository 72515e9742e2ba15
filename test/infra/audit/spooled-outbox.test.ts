import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import type { AuditEntry } from '../../../domain/audit/record.ts';
import { ChainedAuditLog } from '../../../infra/audit/chained-audit-log.ts';
import { FileSpool } from '../../../infra/audit/file-spool.ts';
import { IntentCloser } from '../../../infra/audit/intent-closer.ts';
import { noSpool, SpooledOutbox } from '../../../infra/audit/spooled-outbox.ts';
import { StoredAuditReader } from '../../../infra/audit/stored-audit-reader.ts';
import { MemoryAuditObjects } from '../../support/memory-audit.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-spool-'));
after(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => rmSync(folder, { recursive: true, force: true }));

const start = Date.parse('2026-01-01T00:00:00Z');
const entry = (id: string, stage: AuditEntry['stage'], more: Partial<AuditEntry> = {}): AuditEntry => ({
  id,
  stage,
  time: new Date(start).toISOString(),
  verb: 'create',
  actor: { name: 'a', uid: 'u' },
  source: '127.0.0.1',
  object: { resource: 'repositories', namespace: 'default', name: id },
  ...more,
});

const logOf = (objects: MemoryAuditObjects) =>
  new ChainedAuditLog(objects, { stream: 'api', now: () => new Date(start) });

async function stored(objects: MemoryAuditObjects): Promise<string[]> {
  const found: string[] = [];
  for await (const { id, stage } of new StoredAuditReader(objects).records('api'))
    found.push(`${id} ${stage}`);
  return found;
}

test('what waited for the log is written before what comes later, and once', async () => {
  let now = 0;
  const objects = new MemoryAuditObjects();
  const outbox = new SpooledOutbox(logOf(objects), await FileSpool.open(folder, 'api'), () => now);
  objects.down = true;
  await outbox.keep(entry('one', 'Requested'));
  await outbox.keep(entry('one', 'Completed'));
  await assert.rejects(outbox.append(entry('two', 'Requested')), { code: 'AuditUnavailable' });
  objects.down = false;
  now = 10_000;
  await outbox.keep(entry('three', 'Requested'));
  assert.deepEqual(await stored(objects), ['one Requested', 'one Completed', 'three Requested']);
  await outbox.flush();
  assert.equal((await stored(objects)).length, 3);
});

test('Q05: without a disk to wait on, nothing is promised that could be lost', async () => {
  const objects = new MemoryAuditObjects();
  objects.down = true;
  await assert.rejects(new SpooledOutbox(logOf(objects), noSpool).keep(entry('one', 'Requested')), {
    code: 'AuditUnavailable',
  });
});

test('Q06: what a killed process had promised is written by the next one, and not twice', async () => {
  const script = `
    import { FileSpool } from '${new URL('../../../infra/audit/file-spool.ts', import.meta.url).href}';
    const spool = await FileSpool.open(${JSON.stringify(folder)}, 'api');
    await spool.add(${JSON.stringify(entry('one', 'Completed'))});
    await spool.add(${JSON.stringify(entry('two', 'Completed'))});
    process.kill(process.pid, 'SIGKILL');
  `;
  await assert.rejects(
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]),
    (error: { signal?: string }) => error.signal === 'SIGKILL',
  );
  const [file = ''] = readdirSync(folder);
  await appendFile(join(folder, file), '{"id":"cut o');
  const objects = new MemoryAuditObjects();
  // The first of them had reached the log before the process died.
  await logOf(objects).append(entry('one', 'Completed'));
  const outbox = new SpooledOutbox(logOf(objects), await FileSpool.open(folder, 'api'));
  await outbox.settle(new StoredAuditReader(objects), 'api');
  await outbox.flush();
  assert.deepEqual(await stored(objects), ['one Completed', 'two Completed']);
  assert.deepEqual(readdirSync(folder), [`api.${process.pid}.ndjson`]);
});

test('the spool of a process that lives is left alone', async () => {
  const other = join(folder, `api.${process.ppid}.ndjson`);
  await FileSpool.open(folder, 'worker');
  writeFileSync(other, `${JSON.stringify(entry('its', 'Completed'))}\n`);
  assert.equal((await FileSpool.open(folder, 'api')).entries.length, 0);
  assert.ok(readdirSync(folder).includes(`api.${process.ppid}.ndjson`));
});

test('Q06: an intent that a crash left open is closed as unknown, once, when it is certainly over', async () => {
  const objects = new MemoryAuditObjects();
  const reader = new StoredAuditReader(objects);
  const writer = logOf(objects);
  const running = { id: 'sync/default/a', runId: 'r1' };
  await writer.append(entry('done', 'Requested'));
  await writer.append(entry('done', 'Completed'));
  await writer.append(entry('cut-off', 'Requested'));
  await writer.append(entry('at-work', 'Started', { workflow: running }));
  let isRunning = true;
  let now = start + 60_000;
  const closer = () =>
    new IntentCloser({
      stream: 'api',
      objects,
      reader,
      writer,
      now: () => new Date(now),
      isOver: async ({ workflow }) => workflow === undefined || !isRunning,
    });
  assert.equal(await closer().pass(), 0, 'too young');
  now = start + 300_000;
  const one = closer();
  assert.equal(await one.pass(), 1);
  assert.equal(await one.pass(), 0);
  assert.equal(await closer().pass(), 0, 'the next process knows, too');
  isRunning = false;
  assert.equal(await closer().pass(), 1);
  assert.deepEqual((await stored(objects)).slice(-2), ['cut-off Unknown', 'at-work Unknown']);
});

test('what is kept after a disk was full in the middle of a line is there after a crash', async () => {
  const spool = await FileSpool.open(folder, 'api');
  await spool.add(entry('one', 'Requested'));
  const [file = ''] = readdirSync(folder);
  await appendFile(join(folder, file), '{"id":"two","sta');
  await spool.add(entry('three', 'Requested'));
  const again = await FileSpool.open(folder, 'api');
  assert.deepEqual(
    again.entries.map(({ id }) => id),
    ['one', 'three'],
  );
});

test('a log that goes away in the middle of what waited is told nothing twice', async () => {
  class GoesAway extends MemoryAuditObjects {
    left = Number.POSITIVE_INFINITY;

    override async create(key: string, body: string): Promise<boolean> {
      this.left -= 1;
      this.down = this.left < 0;
      return super.create(key, body);
    }
  }
  const objects = new GoesAway();
  const spool = await FileSpool.open(folder, 'api');
  for (const id of ['one', 'two', 'three']) await spool.add(entry(id, 'Completed'));
  const outbox = new SpooledOutbox(logOf(objects), spool);
  objects.left = 1;
  await assert.rejects(outbox.flush(), { code: 'AuditUnavailable' });
  objects.left = Number.POSITIVE_INFINITY;
  objects.down = false;
  await outbox.flush();
  assert.deepEqual(await stored(objects), ['one Completed', 'two Completed', 'three Completed']);
  assert.deepEqual(spool.entries, []);
});
