import { ObjectStore } from '../../infra/storage/object-store.ts';

/** The bucket of bundles, as the environment names it: `S3_ENDPOINT`, `S3_REGION`, `S3_BUCKET` and the AWS keys. */
export function openBucket(env: NodeJS.ProcessEnv): ObjectStore {
  const endpoint = env['S3_ENDPOINT'];
  return new ObjectStore({
    region: env['S3_REGION'] ?? 'us-east-1',
    bucket: env['S3_BUCKET'] ?? 'imageferry',
    allowHttp: env['S3_ALLOW_HTTP'] === 'true',
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}
