import { readFileSync } from 'node:fs';
import { OpenIntents } from '../../domain/audit/open-intents.ts';
import { ChainVerifier, type AuditVerdict } from '../../domain/audit/verify-chain.ts';
import type { AuditRecord } from '../../domain/audit/record.ts';
import { asFailure, Failure } from '../../domain/failure.ts';
import { sha256 } from '../../infra/audit/chained-audit-log.ts';
import { checkpointVerifier } from '../../infra/audit/checkpoint-signer.ts';
import { connectAuditObjects } from '../../infra/audit/connect-audit.ts';
import { StoredAuditReader } from '../../infra/audit/stored-audit-reader.ts';

/** Options of `imageferry audit verify`. */
export interface AuditVerifyOptions {
  /** PEM file of the public key that checkpoints are checked with. Default: checkpoints count for nothing. */
  readonly publicKey?: string;
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
    const streams = options.stream === undefined ? await reader.streams() : [options.stream];
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
  publicKey: string | undefined,
): Promise<StreamReport> {
  const genuine = publicKey === undefined ? undefined : checkpointVerifier(readFileSync(publicKey, 'utf8'));
  const checkpoints = genuine === undefined ? [] : await reader.checkpoints(stream);
  const verifier = new ChainVerifier(stream, checkpoints, { sha256, genuine: genuine ?? (() => false) });
  const intents = new OpenIntents();
  for await (const record of reader.records(stream)) {
    verifier.take(record);
    intents.take(record);
  }
  return { ...verifier.finish(), openIntents: intents.before(Date.now() - intentAgeMs) };
}

function text(reports: readonly StreamReport[]): string {
  if (reports.length === 0) return 'there are no audit records';
  return reports.map(describe).join('\n');
}

function describe({ stream, records, vouched, defect, openIntents }: StreamReport): string {
  const open = openIntents.map(
    ({ seq, verb, object }) => `\n  no outcome: #${seq} ${verb} ${object.resource} ${object.name ?? ''}`,
  );
  if (defect !== undefined) return `${stream}: ${defect.problem} at #${defect.seq}${open.join('')}`;
  const proof =
    vouched === 0 ? 'no checkpoint vouches for them' : `a checkpoint vouches for the first ${vouched}`;
  return `${stream}: ${records} records, whole; ${proof}${open.join('')}`;
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
