import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  HeadBucketCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoints } from '../endpoints.ts';
import type { Ports } from '../ports.ts';
import type { Running } from '../process.ts';
import { start } from '../process.ts';
import type { Secrets } from '../secrets.ts';
import { writePrivately } from '../secrets.ts';

/** SeaweedFS with its S3 door. Its data is in `folder/s3`. */
export function startS3(
  folder: string,
  program: string,
  ports: Ports,
  secrets: Secrets['s3'],
): Promise<Running> {
  const config = join(folder, 's3.json');
  const data = join(folder, 's3');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  writePrivately(config, identities(secrets));
  return start(folder, {
    name: 's3',
    program,
    args: [
      '-logtostderr',
      'mini',
      `-dir=${data}`,
      '-ip=127.0.0.1',
      '-ip.bind=127.0.0.1',
      '-master.telemetry=false',
      `-master.port=${ports.s3Master}`,
      `-master.port.grpc=${ports.s3MasterGrpc}`,
      `-volume.port=${ports.s3Volume}`,
      `-volume.port.grpc=${ports.s3VolumeGrpc}`,
      `-filer.port=${ports.s3Filer}`,
      `-filer.port.grpc=${ports.s3FilerGrpc}`,
      `-admin.port=${ports.s3Admin}`,
      `-admin.port.grpc=${ports.s3AdminGrpc}`,
      `-s3.port=${ports.s3}`,
      `-s3.port.grpc=${ports.s3Grpc}`,
      `-s3.config=${config}`,
      '-s3.allowDeleteBucketNotEmpty=false',
      '-s3.autoCreateBucket=false',
      '-s3.port.iceberg=0',
      '-s3.port.lance=0',
      `-s3.localSocket=${socket(folder, ports.s3)}`,
      '-webdav=false',
      '-admin.ui=false',
    ],
    ready: () =>
      ensureBucket({
        endpoint: `http://127.0.0.1:${ports.s3}`,
        region: 'us-east-1',
        bucket: 'imageferry',
        ...secrets,
      }),
  });
}

// A socket's path has to be short; there is no way to have none.
function socket(folder: string, port: number): string {
  const path = join(folder, 's3.sock');
  return path.length < 100 ? path : join(tmpdir(), `imageferry-s3-${port}.sock`);
}

function identities({ accessKeyId, secretAccessKey }: Secrets['s3']): string {
  const actions = ['Admin', 'Read', 'Write', 'List', 'Tagging'];
  const credentials = [{ accessKey: accessKeyId, secretKey: secretAccessKey }];
  return JSON.stringify({ identities: [{ name: 'imageferry', credentials, actions }] });
}

/** Makes the bucket where it is not there yet. */
export async function ensureBucket(s3: Endpoints['s3']): Promise<void> {
  const { accessKeyId, secretAccessKey } = s3;
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
    requestHandler: { requestTimeout: 5000, connectionTimeout: 2000 },
  });
  try {
    await client.send(new HeadBucketCommand({ Bucket: s3.bucket })).catch(async (error: unknown) => {
      if (!(error instanceof Error) || error.name !== 'NotFound') throw error;
      await client.send(new CreateBucketCommand({ Bucket: s3.bucket }));
    });
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
  } finally {
    client.destroy();
  }
}
