import { Failure } from '../../domain/failure.ts';
import { ObjectStore } from '../../infra/storage/object-store.ts';

/**
 * The bucket of bundles, as the environment names it: `S3_ENDPOINT` (default: AWS itself), `S3_REGION`, `S3_BUCKET` and
 * the AWS keys. Throws `InvalidRequest` where it names none.
 */
export function openBucket(env: NodeJS.ProcessEnv): ObjectStore {
  const endpoint = env['S3_ENDPOINT'] || undefined;
  if (endpoint === undefined && !env['S3_BUCKET'])
    throw invalid('set S3_ENDPOINT, S3_BUCKET and the AWS keys, or name --api where the command takes it');
  if (endpoint !== undefined && !URL.canParse(endpoint)) throw invalid('S3_ENDPOINT is no URL');
  return new ObjectStore({
    region: env['S3_REGION'] ?? 'us-east-1',
    bucket: env['S3_BUCKET'] || 'imageferry',
    allowHttp: env['S3_ALLOW_HTTP'] === 'true',
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}

const invalid = (detail: string): Failure => new Failure('InvalidRequest', { side: 'caller', detail });
