import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { chainEntry, emptyHead, headAfter, type ChainHead } from '../../../domain/audit/chain.ts';
import type { AuditRecord } from '../../../domain/audit/record.ts';
import { checkpointsPrefix, recordsKey, recordsPrefix } from '../../../infra/audit/audit-keys.ts';
import { checkpointSigner } from '../../../infra/audit/checkpoint-signer.ts';
import { sha256 } from '../../../infra/audit/chained-audit-log.ts';
import { connectAuditObjects } from '../../../infra/audit/connect-audit.ts';
import { openAudit } from '../../../infra/audit/open-audit.ts';
import { printRecord } from '../../../infra/audit/parse-record.ts';
import { StoredAuditReader } from '../../../infra/audit/stored-audit-reader.ts';
import { startS3Process, type S3Process } from '../../support/s3-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-second-bucket-'));
/** A key pair; the public part in a file of this name. */
function newKey(name: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(folder, name), publicKey);
  return privateKey;
}
const privateKey = newKey('audit.pub');
let s3: S3Process;
before(async () => {
  s3 = await startS3Process();
  const client = new S3Client({ endpoint: s3.endpoint, region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'vault' }));
  client.destroy();
});
after(async () => {
  await s3.stop();
  rmSync(folder, { recursive: true, force: true });
});

const bucket = (name: string) =>
  connectAuditObjects({ endpoint: s3.endpoint, region: 'us-east-1', bucket: name });

/** A stream of so many records, as a process with `AUDIT_CHECKPOINT_BUCKET` leaves it. */
async function written(stream: string, count: number, key = privateKey): Promise<void> {
  const log = await openAudit({
    stream,
    objects: bucket('imageferry'),
    checkpoints: bucket('vault'),
    signer: checkpointSigner(key),
    onTrouble: (error) => assert.fail(String(error)),
  });
  for (let number = 1; number <= count; number += 1) {
    await log.outbox.append({
      id: String(number),
      stage: 'Completed',
      time: new Date().toISOString(),
      verb: 'delete',
      actor: { name: 'mallory', uid: 'm' },
      source: '127.0.0.1',
      object: { resource: 'repositories', namespace: 'shop', name: `r${number}` },
    });
  }
  await log.stop();
}

/** `imageferry audit verify` of the stream, with the second bucket or without. */
async function verify(
  stream: string,
  second?: string,
  keys = ['audit.pub'],
): Promise<{ code: number; text: string }> {
  const entry = join(import.meta.dirname, '../../../worker/imageferry.ts');
  const named = keys.flatMap((name) => ['--public-key', join(folder, name)]);
  const args = ['audit', 'verify', '--stream', stream, ...named];
  const env = {
    ...process.env,
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: 'imageferry',
    ...(second === undefined ? {} : { AUDIT_CHECKPOINT_BUCKET: second }),
  };
  const run = promisify(execFile)(process.execPath, [entry, ...args], { env });
  return run.then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      text: error.stdout + error.stderr,
    }),
  );
}

/** What somebody with the keys of the first bucket does: every record from `seq` on is changed or gone, and all fits again. */
async function rewriteFrom(stream: string, seq: number, change: 'cut' | 'forge'): Promise<void> {
  const objects = bucket('imageferry');
  const records: AuditRecord[] = [];
  for await (const record of new StoredAuditReader(objects).records(stream)) records.push(record);
  for (const prefix of [recordsPrefix(stream), checkpointsPrefix(stream)])
    for await (const { key } of objects.list(prefix)) await objects.remove(key);
  let head: ChainHead = emptyHead(stream);
  for (const record of change === 'cut' ? records.slice(0, seq - 1) : records) {
    const { stream: _, seq: at, prev: __, hash: ___, ...entry } = record;
    const actor = at >= seq ? { name: 'alice', uid: 'a' } : entry.actor;
    const next = chainEntry({ ...entry, actor }, head, sha256);
    await objects.create(recordsKey(stream, next.seq), printRecord(next));
    head = headAfter(next);
  }
}

for (const [change, problem] of [
  ['cut', /truncated at #\d+/],
  ['forge', /checkpoint-mismatch at #100/],
] as const) {
  test(`Q03: a log ${change} by who owns its bucket looks whole in it, and is found through the second bucket`, async () => {
    const stream = `stream-${change}`;
    await written(stream, 105);
    for (const second of [undefined, 'vault']) {
      const { code, text } = await verify(stream, second);
      assert.equal(code, 0, text);
      assert.match(text, /105 records, whole; a checkpoint vouches for all up to #10\d/);
    }
    await rewriteFrom(stream, 90, change);
    const alone = await verify(stream);
    assert.equal(alone.code, 0, alone.text);
    assert.match(alone.text, /whole; no checkpoint vouches/);
    const { code, text } = await verify(stream, 'vault');
    assert.equal(code, 1, text);
    assert.match(text, problem);
  });
}

test('after the key was changed, checkpoints of both keys vouch, and those of a key that is not named are told', async () => {
  await written('rotated', 3);
  await written('rotated', 3, newKey('audit-2.pub'));
  const both = await verify('rotated', 'vault', ['audit.pub', 'audit-2.pub']);
  assert.match(both.text, /6 records, whole; a checkpoint vouches for all up to #6/);
  assert.equal(both.code, 0);
  const one = await verify('rotated', 'vault', ['audit-2.pub']);
  assert.match(one.text, /checkpoint-forged at #\d/);
  assert.equal(one.code, 1);
});
