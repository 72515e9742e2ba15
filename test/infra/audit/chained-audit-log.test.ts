import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import { checkpointPayload, type Checkpoint, type StatementKind } from '../../../domain/audit/checkpoint.ts';
import type { AuditEntry, AuditRecord } from '../../../domain/audit/record.ts';
import { ChainVerifier, type AuditVerdict } from '../../../domain/audit/verify-chain.ts';
import { ChainedAuditLog, sha256, type CheckpointSigner } from '../../../infra/audit/chained-audit-log.ts';
import { RecordMemory } from '../../../infra/audit/record-memory.ts';
import { StoredAuditReader } from '../../../infra/audit/stored-audit-reader.ts';
import { MemoryAuditObjects } from '../../support/memory-audit.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const signer: CheckpointSigner = {
  keyId: 'k1',
  sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
};
const genuine = (checkpoint: Checkpoint, kind: StatementKind): boolean =>
  verify(
    null,
    Buffer.from(checkpointPayload(checkpoint, kind)),
    publicKey,
    Buffer.from(checkpoint.signature, 'base64'),
  );

const entry = (number: number): AuditEntry => ({
  id: `call-${number}`,
  stage: number % 2 === 0 ? 'Requested' : 'Completed',
  time: new Date(1_700_000_000_000 + number).toISOString(),
  verb: 'delete',
  actor: { name: `用户-${number % 7}`, uid: 'u' },
  source: '127.0.0.1',
  object: { resource: 'repositories', namespace: 'default', name: `r${number}` },
});

const now = () => new Date(1_700_000_000_000);
const writer = (objects: MemoryAuditObjects) => new ChainedAuditLog(objects, { stream: 'api', now, signer });

const statementsOf = async (reader: StoredAuditReader) => ({
  checkpoints: await reader.checkpoints('api'),
  starts: await reader.starts('api'),
});

async function check(objects: MemoryAuditObjects): Promise<AuditVerdict> {
  const reader = new StoredAuditReader(objects);
  const verifier = new ChainVerifier('api', await statementsOf(reader), { sha256, genuine });
  for await (const record of reader.records('api')) verifier.take(record);
  return verifier.finish();
}

async function written(count: number): Promise<MemoryAuditObjects> {
  const objects = new MemoryAuditObjects();
  const log = writer(objects);
  for (let number = 0; number < count; number += 1) await log.append(entry(number));
  return objects;
}

test('what was written verifies, and a checkpoint vouches for it', async () => {
  const objects = await written(250);
  const verdict = await check(objects);
  assert.deepEqual([verdict.records, verdict.vouched, verdict.defect], [250, 200, undefined]);
  assert.deepEqual(await new StoredAuditReader(objects).streams(), ['api']);
});

test('Q08: writers of one stream at the same time leave no gap and no fork', async () => {
  const objects = new MemoryAuditObjects();
  const writers = [writer(objects), writer(objects), writer(objects)];
  await Promise.all(
    Array.from(
      { length: 300 },
      (_, number) => writers[number % 3]?.append(entry(number)) ?? Promise.reject(new Error('no writer')),
    ),
  );
  const verdict = await check(objects);
  assert.deepEqual([verdict.records, verdict.defect], [300, undefined]);
});

test('Q11: the chain goes on after a restart', async () => {
  const objects = await written(7);
  await writer(objects).append(entry(8));
  const verdict = await check(objects);
  assert.deepEqual([verdict.records, verdict.defect], [8, undefined]);
});

test('entries that come together are written together', async () => {
  const objects = new MemoryAuditObjects();
  const log = writer(objects);
  await Promise.all(Array.from({ length: 150 }, (_, number) => log.append(entry(number))));
  assert.ok(objects.creates <= 3);
});

test('Q05: a store that is down is AuditUnavailable, and writing goes on once it is back', async () => {
  const objects = await written(2);
  const log = writer(objects);
  objects.down = true;
  await assert.rejects(log.append(entry(3)), { code: 'AuditUnavailable' });
  objects.down = false;
  await log.append(entry(4));
  assert.deepEqual((await check(objects)).records, 3);
});

test('a write whose answer got lost is not written twice', async () => {
  const objects = await written(1);
  objects.loseNextAnswer = true;
  await writer(objects).append(entry(2));
  const verdict = await check(objects);
  assert.deepEqual([verdict.records, verdict.defect], [2, undefined]);
});

type Mutation = readonly [
  string,
  (lines: string[], at: number, other: number, random: () => number) => string[],
];
const mutations: readonly Mutation[] = [
  ['a byte changed', (lines, at, _, random) => lines.with(at, flip(lines[at] ?? '', random()))],
  ['a byte removed', (lines, at, _, random) => lines.with(at, cut(lines[at] ?? '', random()))],
  ['a record removed', (lines, at) => lines.toSpliced(at, 1)],
  ['a record doubled', (lines, at) => lines.toSpliced(at, 0, lines[at] ?? '')],
  [
    'two records swapped',
    (lines, at, other) => lines.with(at, lines[other] ?? '').with(other, lines[at] ?? ''),
  ],
  ['the end cut off', (lines, at) => lines.slice(0, at)],
  ['the start cut off', (lines, at) => lines.slice(at + 1)],
  ['the rest stamped anew', (lines, at) => restamp(lines, at)],
];

test('Q01 Q02 Q03: of 1,000 mutations of a vouched stream every one is found, at its place or before', async () => {
  const original = await written(100);
  const text = [...original.stored]
    .filter(([key]) => key.endsWith('.ndjson'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, body]) => body)
    .join('');
  const lines = text.trimEnd().split('\n');
  assert.equal((await check(original)).defect, undefined);
  const random = seeded(42);
  for (let number = 0; number < 1000; number += 1) {
    const [what, mutate] = mutations[number % mutations.length] ?? ['none', (all) => all];
    const at = Math.floor(random() * lines.length);
    const other = (at + 1 + Math.floor(random() * (lines.length - 1))) % lines.length;
    const changed = new MemoryAuditObjects();
    for (const [key, body] of original.stored) if (!key.endsWith('.ndjson')) changed.stored.set(key, body);
    const body = mutate(lines, at, other, random)
      .map((line) => `${line}\n`)
      .join('');
    changed.stored.set('audit/records/api/000000000001.ndjson', body);
    const { defect } = await check(changed);
    assert.ok(defect !== undefined, `${what} at ${at} (${number})`);
    if (what === 'a byte changed') assert.equal(defect.seq, at + 1);
  }
});

test('a checkpoint that was changed or signed by another key is forged', async () => {
  const objects = await written(100);
  const [key = '', text = ''] = [...objects.stored].find(([name]) => name.includes('/checkpoints/')) ?? [];
  objects.stored.set(key, text.replace('"seq":100', '"seq":99'));
  assert.equal((await check(objects)).defect?.problem, 'checkpoint-forged');
});

function flip(line: string, random: number): string {
  const bytes = Buffer.from(line);
  const at = Math.floor(random * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString('latin1') === line ? line : bytes.toString('utf8');
}

function cut(line: string, random: number): string {
  const at = Math.floor(random * line.length);
  return line.slice(0, at) + line.slice(at + 1);
}

/** What somebody with the store's keys, but not the checkpoint's, would do: change one and chain the rest anew. */
function restamp(lines: readonly string[], at: number): string[] {
  const records = lines.map((line) => JSON.parse(line));
  let prev = at === 0 ? '0'.repeat(64) : records[at - 1].hash;
  return records.map((record, index) => {
    if (index < at) return canonical(record);
    const { hash: _, ...rest } = { ...record, prev, ...(index === at ? { verb: 'get' } : {}) };
    prev = sha256(canonical(rest));
    return canonical({ ...rest, hash: prev });
  });
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, field) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

test('a reader with a memory reads an object once, and again when it has changed', async () => {
  const objects = await written(30);
  const reader = new StoredAuditReader(objects, new RecordMemory());
  const all = async (): Promise<AuditRecord[]> => {
    const found: AuditRecord[] = [];
    for await (const record of reader.records('api')) found.push(record);
    return found;
  };
  await all();
  const before = objects.reads;
  assert.equal((await all()).length, 30);
  assert.equal(objects.reads, before);
  const [key = '', body = ''] = [...objects.stored].find(([name]) => name.startsWith('audit/records/')) ?? [];
  objects.stored.set(key, body.replace('delete', 'create'));
  assert.equal((await all())[0]?.verb, 'create');
  assert.equal(objects.reads, before + 1);
});

test('a memory forgets what was used longest ago', () => {
  const memory = new RecordMemory(3);
  const records = (count: number) => Array.from({ length: count }, () => ({}) as never);
  memory.keep('a', '1', records(2));
  memory.keep('b', '1', records(1));
  memory.find('a', '1');
  memory.keep('c', '1', records(1));
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => memory.find(key, '1')?.length),
    [2, undefined, 1],
  );
});
