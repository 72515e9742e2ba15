import type { Checkpoint } from '../../domain/audit/checkpoint.ts';
import { OpenIntents } from '../../domain/audit/open-intents.ts';
import { ChainVerifier, type AuditVerdict, type Genuine } from '../../domain/audit/verify-chain.ts';
import type { AuditRecord } from '../../domain/audit/record.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import { sha256 } from '../../infra/audit/chained-audit-log.ts';
import { checkpointVerifier } from '../../infra/audit/checkpoint-signer.ts';
import { connectAuditObjects } from '../../infra/audit/connect-audit.ts';
import { StoredAuditReader } from '../../infra/audit/stored-audit-reader.ts';
import { givenFile } from './given-file.ts';

/** Options of `imageferry audit verify`. */
export interface AuditVerifyOptions {
  /** PEM files of the public keys that checkpoints may be signed with. With none, checkpoints count for nothing. */
  readonly publicKey: readonly string[];
  /** Only this stream. Default: all. */
  readonly stream?: string;
  readonly json: boolean;
}

/** An intent without an outcome is reported once it is this old, in milliseconds. */
const intentAgeMs = 600_000;

interface StreamReport extends AuditVerdict {
  readonly openIntents: readonly AuditRecord[];
}

/** `imageferry audit verify`: resolves with the exit code, 1 where a stream shows any change, gap or reorder. */
export async function auditVerifyCommand(options: AuditVerifyOptions): Promise<number> {
  try {
    const reader = new StoredAuditReader(connectAuditObjects(storeFrom(process.env)));
    const streams = options.stream === undefined ? await allStreams(reader) : [options.stream];
    const reports: StreamReport[] = [];
    for (const stream of streams) reports.push(await verifyStream(reader, stream, options.publicKey));
    console.log(options.json ? JSON.stringify(reports) : text(reports));
    return reports.every(({ defect }) => defect === undefined) ? 0 : 1;
  } catch (error) {
    const failure = asFailure(error);
    console.error(`imageferry: ${failure.code}: ${failure.message}`);
    return failure.retryable ? 75 : 1;
  }
}

async function verifyStream(
  reader: StoredAuditReader,
  stream: string,
  publicKeys: readonly string[],
): Promise<StreamReport> {
  const genuine = anyOf(publicKeys);
  const starts = await reader.starts(stream);
  const checkpoints = genuine === undefined ? [] : await allCheckpoints(reader, stream);
  // Without a key a start is taken at its word, and the report says that nothing vouches for it.
  const tools = { sha256, genuine: genuine ?? (() => true) };
  const verifier = new ChainVerifier(stream, { checkpoints, starts }, tools);
  const intents = new OpenIntents();
  for await (const record of reader.records(stream)) {
    verifier.take(record);
    intents.take(record);
  }
  return { ...verifier.finish(), openIntents: intents.before(Date.now() - intentAgeMs) };
}

/** A statement is genuine where one of the keys signed it: the key may have been changed since. */
function anyOf(publicKeys: readonly string[]): Genuine | undefined {
  if (publicKeys.length === 0) return undefined;
  const verifiers = publicKeys.map((path) => checkpointVerifier(givenFile(path).toString('utf8')));
  return (statement, kind) => verifiers.some((isGood) => isGood(statement, kind));
}

async function allCheckpoints(reader: StoredAuditReader, stream: string): Promise<readonly Checkpoint[]> {
  return [...(await reader.checkpoints(stream)), ...((await elsewhere()?.checkpoints(stream)) ?? [])];
}

/** Streams that have records, and those of which only checkpoints are left. */
async function allStreams(reader: StoredAuditReader): Promise<readonly string[]> {
  const names = [
    ...(await reader.streams()),
    ...(await reader.checkpointedStreams()),
    ...((await elsewhere()?.checkpointedStreams()) ?? []),
  ];
  return [...new Set(names)];
}

/** Where checkpoints were kept a second time: the bucket `AUDIT_CHECKPOINT_BUCKET`. */
function elsewhere(): StoredAuditReader | undefined {
  const bucket = process.env['AUDIT_CHECKPOINT_BUCKET'];
  if (bucket === undefined || bucket === '') return undefined;
  return new StoredAuditReader(connectAuditObjects({ ...storeFrom(process.env), bucket }));
}

function text(reports: readonly StreamReport[]): string {
  if (reports.length === 0) return 'there are no audit records';
  return reports.map(describe).join('\n');
}

function describe({ stream, records, start, vouched, defect, openIntents }: StreamReport): string {
  const open = openIntents.map(
    ({ seq, verb, object }) => `\n  no outcome: #${seq} ${verb} ${object.resource} ${object.name ?? ''}`,
  );
  if (defect !== undefined) return `${stream}: ${defect.problem} at #${defect.seq}${open.join('')}`;
  const proof =
    vouched === 0 ? 'no checkpoint vouches for them' : `a checkpoint vouches for all up to #${vouched}`;
  const since = start === 0 ? '' : ` after #${start}, up to which they were given up as too old`;
  return `${stream}: ${records} records, whole${since}; ${proof}${open.join('')}`;
}

function storeFrom(
  env: Readonly<Record<string, string | undefined>>,
): Parameters<typeof connectAuditObjects>[0] {
  const bucket = env['S3_BUCKET'];
  const endpoint = env['S3_ENDPOINT'];
  if (bucket === undefined || bucket === '') {
    throw new Failure('InvalidRequest', {
      side: 'caller',
      detail: 'set S3_BUCKET, S3_ENDPOINT and the AWS keys',
    });
  }
  return { bucket, region: env['S3_REGION'] ?? 'us-east-1', ...(endpoint === undefined ? {} : { endpoint }) };
}
