import { S3Client } from '@aws-sdk/client-s3';
import { readFileSync } from 'node:fs';
import { checkpointSigner } from './checkpoint-signer.ts';
import { openAudit, type AuditOptions, type OpenAudit } from './open-audit.ts';
import { S3AuditObjects } from './s3-audit-objects.ts';

/** Where the audit log is kept. Keys come from the environment's AWS variables. */
export interface AuditStore {
  /** Such as `http://127.0.0.1:8333`. Default: AWS. */
  readonly endpoint?: string;
  readonly region: string;
  readonly bucket: string;
}

/** Connects to the bucket; nothing is asked of it yet. */
export function connectAuditObjects(store: AuditStore): S3AuditObjects {
  const client = new S3Client({
    region: store.region,
    forcePathStyle: true,
    maxAttempts: 3,
    // S3-compatible servers do not all know the newer checksums that the client sends by default.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(store.endpoint === undefined ? {} : { endpoint: store.endpoint }),
  });
  return new S3AuditObjects(client, store.bucket);
}

/** How a process is told to keep its stream; what is undefined has the default of `AuditOptions`. */
export interface AuditPlace {
  readonly stream: string;
  /** PEM, Ed25519. */
  readonly signingKeyFile: string | undefined;
  readonly spoolFolder: string | undefined;
  readonly retentionDays: number | undefined;
  /** A second bucket of the same store, for checkpoints. */
  readonly checkpointBucket: string | undefined;
}

/** Opens the stream of a process in a bucket. Throws where the signing key cannot be read. */
export function openStoredAudit(
  store: AuditStore,
  { stream, signingKeyFile: file, spoolFolder, retentionDays, checkpointBucket: second }: AuditPlace,
  rest: Pick<AuditOptions, 'isOver' | 'onTrouble'>,
): Promise<OpenAudit> {
  return openAudit({
    ...rest,
    stream,
    objects: connectAuditObjects(store),
    ...(second === undefined ? {} : { checkpoints: connectAuditObjects({ ...store, bucket: second }) }),
    ...(file === undefined ? {} : { signer: checkpointSigner(readFileSync(file, 'utf8')) }),
    ...(spoolFolder === undefined ? {} : { spoolFolder }),
    ...(retentionDays === undefined ? {} : { retentionDays }),
  });
}
