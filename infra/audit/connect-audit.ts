import { S3Client } from '@aws-sdk/client-s3';
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
