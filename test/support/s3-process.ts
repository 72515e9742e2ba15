import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../../infra/local/install/programs.ts';
import { quietProgress } from '../../infra/local/install/progress.ts';
import { choosePorts } from '../../infra/local/ports.ts';
import { secretsOf } from '../../infra/local/secrets.ts';
import { startS3 } from '../../infra/local/servers/s3.ts';
import { ObjectStore } from '../../infra/storage/object-store.ts';

/** A real object store of a test, with a bucket. */
export interface S3Process {
  readonly store: ObjectStore;
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Starts an object store on free ports with a folder of its own; its keys are put into this process's environment. */
export async function startS3Process(): Promise<S3Process> {
  const folder = mkdtempSync(join(tmpdir(), 'imageferry-s3-'));
  const ports = await choosePorts(true);
  const { s3 } = secretsOf(folder);
  const running = await startS3(folder, await program('weed', quietProgress), ports, s3);
  process.env['AWS_ACCESS_KEY_ID'] = s3.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = s3.secretAccessKey;
  const endpoint = `http://127.0.0.1:${ports.s3}`;
  const store = new ObjectStore({ endpoint, region: 'us-east-1', bucket: 'imageferry' });
  return {
    store,
    endpoint,
    stop: async () => {
      store.close();
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
