import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { AuditEntry } from '../../../domain/audit/record.ts';
import { ChainVerifier } from '../../../domain/audit/verify-chain.ts';
import { ChainedAuditLog, sha256 } from '../../../infra/audit/chained-audit-log.ts';
import { connectAuditObjects } from '../../../infra/audit/connect-audit.ts';
import type { S3AuditObjects } from '../../../infra/audit/s3-audit-objects.ts';
import { StoredAuditReader } from '../../../infra/audit/stored-audit-reader.ts';
import { openLyingStore, type LyingStore } from '../../support/lying-store.ts';
import { rejection } from '../../support/refusal.ts';
import { startS3Process, type S3Process } from '../../support/s3-process.ts';

let [s3, lying] = [] as unknown as [S3Process, LyingStore];
before(async () => {
  s3 = await startS3Process();
  lying = await openLyingStore(s3);
});
afterEach(() => {
  lying.lie = () => undefined;
});
after(async () => {
  await lying.close();
  await s3.stop();
});

const objects = (): S3AuditObjects =>
  connectAuditObjects({ endpoint: lying.endpoint, region: 'us-east-1', bucket: s3.store.bucket });
const writer = (stream: string): ChainedAuditLog =>
  new ChainedAuditLog(objects(), { stream, now: () => new Date() });
const entry = (id: string): AuditEntry => ({
  id,
  stage: 'Completed',
  time: new Date().toISOString(),
  verb: 'delete',
  actor: { name: 'a', uid: 'u' },
  source: '127.0.0.1',
  object: { resource: 'repositories', name: 'r' },
});

async function idsOf(stream: string): Promise<readonly string[]> {
  const verifier = new ChainVerifier(
    stream,
    { checkpoints: [], starts: [] },
    { sha256, genuine: () => true },
  );
  const ids: string[] = [];
  for await (const record of new StoredAuditReader(objects()).records(stream)) {
    verifier.take(record);
    ids.push(record.id);
  }
  assert.equal(verifier.finish().defect, undefined);
  return ids;
}

test('K11 Q08 in a store that ignores If-None-Match, two writers of a stream lose none of each other’s records', async () => {
  lying.lie = ({ headers }) => (headers['if-none-match'] === '*' ? 'ignore the condition' : undefined);
  const [one, other] = [writer('weak'), writer('weak')];
  for (let number = 1; number <= 4; number += 1) {
    await one.append(entry(`one ${number}`));
    await other.append(entry(`other ${number}`));
  }
  assert.deepEqual(
    await idsOf('weak'),
    [1, 2, 3, 4].flatMap((number) => [`one ${number}`, `other ${number}`]),
  );
});

test('a list that the store cut short is no list: a log is not called whole by it', async () => {
  const log = writer('cut');
  for (const id of ['a', 'b']) await log.append(entry(id));
  const cut = '<ListBucketResult><IsTruncated>true</IsTruncated><Name>imageferry</Name></ListBucketResult>';
  lying.lie = ({ query }) => (query.has('prefix') ? { answer: 200, body: cut } : undefined);
  await rejection('AuditUnavailable', idsOf('cut'));
});

test('streams whose names begin alike are all found', async () => {
  for (const stream of ['hub', 'hub-0', 'hub-1', 'hub0']) await writer(stream).append(entry(stream));
  const found = await new StoredAuditReader(objects()).streams();
  for (const stream of ['hub', 'hub-0', 'hub-1', 'hub0']) assert.ok(found.includes(stream), found.join());
});
