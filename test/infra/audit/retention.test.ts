import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { AuditEntry } from '../../../domain/audit/record.ts';
import { ChainVerifier, type AuditVerdict } from '../../../domain/audit/verify-chain.ts';
import { sequenceOf } from '../../../infra/audit/audit-keys.ts';
import { ChainedAuditLog, sha256 } from '../../../infra/audit/chained-audit-log.ts';
import { checkpointSigner, checkpointVerifier } from '../../../infra/audit/checkpoint-signer.ts';
import { pruneStream } from '../../../infra/audit/retention.ts';
import { StoredAuditReader } from '../../../infra/audit/stored-audit-reader.ts';
import { MemoryAuditObjects } from '../../support/memory-audit.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const signer = checkpointSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
const genuine = checkpointVerifier(publicKey.export({ type: 'spki', format: 'pem' }).toString());
const day = 86_400_000;
const first = Date.parse('2026-01-01T00:00:00Z');

/** One record a day for 300 days, with checkpoints here and in a second store. */
async function filled(): Promise<{ objects: MemoryAuditObjects; second: MemoryAuditObjects }> {
  const [objects, second] = [new MemoryAuditObjects(), new MemoryAuditObjects()];
  let now = first;
  const log = new ChainedAuditLog(objects, {
    stream: 'api',
    now: () => new Date(now),
    signer,
    checkpoints: second,
  });
  for (let number = 0; number < 300; number += 1, now += day) await log.append(entryOf(number, now));
  return { objects, second };
}

const entryOf = (number: number, time: number): AuditEntry => ({
  id: `call-${number}`,
  stage: 'Completed',
  time: new Date(time).toISOString(),
  verb: 'create',
  actor: { name: 'a', uid: 'u' },
  source: '127.0.0.1',
  object: { resource: 'repositories', name: 'r' },
});

const prune = (objects: MemoryAuditObjects, days: number): Promise<number> =>
  pruneStream({ stream: 'api', objects, signer, days, now: new Date(first + 300 * day) });

async function check(objects: MemoryAuditObjects, second?: MemoryAuditObjects): Promise<AuditVerdict> {
  const reader = new StoredAuditReader(objects);
  const checkpoints = [
    ...(await reader.checkpoints('api')),
    ...(second === undefined ? [] : await new StoredAuditReader(second).checkpoints('api')),
  ];
  const statements = { checkpoints, starts: await reader.starts('api') };
  const verifier = new ChainVerifier('api', statements, { sha256, genuine });
  for await (const record of reader.records('api')) verifier.take(record);
  return verifier.finish();
}

const keysOf = (objects: MemoryAuditObjects, part: string): string[] =>
  [...objects.stored.keys()].filter((key) => key.includes(part)).sort();

test('records older than the days that are configured go, and the rest still verifies from a signed start', async () => {
  const { objects, second } = await filled();
  assert.equal((await check(objects, second)).records, 300);
  assert.equal(await prune(objects, 100), 200);
  const { start, records, vouched, defect } = await check(objects, second);
  assert.deepEqual({ start, records, defect }, { start: 200, records: 100, defect: undefined });
  assert.ok(vouched >= 299);
  assert.equal(await prune(objects, 100), 0, 'nothing more to give up');
  assert.equal(await prune(objects, 50), 50, 'the next pass goes on from there');
  assert.deepEqual((await check(objects)).defect, undefined);
});

test('the last record is kept however old it is, so that the chain goes on from it', async () => {
  const { objects } = await filled();
  await pruneStream({ stream: 'api', objects, signer, days: 1, now: new Date(first + 9_999 * day) });
  assert.equal((await check(objects)).records, 1);
  const log = new ChainedAuditLog(objects, { stream: 'api', now: () => new Date(first), signer });
  await log.append(entryOf(300, first));
  assert.deepEqual((await check(objects)).defect, undefined);
});

test('a crash between the statement and the deletion leaves nothing that looks wrong', async () => {
  const { objects } = await filled();
  const before = new Map(objects.stored);
  await prune(objects, 100);
  for (const [key, body] of before) if (key.includes('/records/')) objects.stored.set(key, body);
  const { start, records, defect } = await check(objects);
  assert.deepEqual({ start, records, defect }, { start: 200, records: 100, defect: undefined });
});

const tamperings: readonly (readonly [string, (objects: MemoryAuditObjects) => void])[] = [
  ['records that were not given up are taken', (objects) => drop(objects, '/records/', 3)],
  ['the start is taken away', (objects) => drop(objects, '/starts/', 1)],
  ['the start is moved on to hide records', (objects) => moveStart(objects)],
];
for (const [what, tamper] of tamperings) {
  test(`retention is no cover: ${what}`, async () => {
    const { objects } = await filled();
    await prune(objects, 100);
    tamper(objects);
    assert.notEqual((await check(objects)).defect, undefined);
  });
}

test('checkpoints kept elsewhere show that all of a stream, checkpoints too, was cut off', async () => {
  const { objects, second } = await filled();
  for (const key of keysOf(objects, '/')) if (sequenceOf(key) > 50) objects.stored.delete(key);
  assert.equal((await check(objects)).defect, undefined);
  assert.equal((await check(objects, second)).defect?.problem, 'truncated');
  assert.deepEqual(await new StoredAuditReader(second).checkpointedStreams(), ['api']);
});

function drop(objects: MemoryAuditObjects, part: string, count: number): void {
  for (const key of keysOf(objects, part).slice(0, count)) objects.stored.delete(key);
}

function moveStart(objects: MemoryAuditObjects): void {
  const [key = ''] = keysOf(objects, '/starts/');
  const records = keysOf(objects, '/records/');
  const later = JSON.parse(objects.stored.get(records[10] ?? '') ?? '') as { seq: number; hash: string };
  const start = JSON.parse(objects.stored.get(key) ?? '') as object;
  objects.stored.set(key, JSON.stringify({ ...start, seq: later.seq, hash: later.hash }));
  for (const gone of records.slice(0, 11)) objects.stored.delete(gone);
}
