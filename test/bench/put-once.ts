import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { inParallel } from '../../infra/copy/in-parallel.ts';
import { ObjectStore } from '../../infra/storage/object-store.ts';

/**
 * Puts the files of a folder into the store, four at a time, without hashing, asking or reading back: what the store alone
 * takes for the bytes of a staging. `node put-once.ts ENDPOINT FOLDER`
 */
const [endpoint = '', folder = ''] = process.argv.slice(2);
const store = new ObjectStore({ endpoint, region: 'us-east-1', bucket: 'imageferry' });
const put = async (name: string): Promise<void> => {
  const path = join(folder, name);
  const body = { Body: createReadStream(path), ContentLength: statSync(path).size };
  await store.client.send(new PutObjectCommand({ Bucket: store.bucket, Key: `bare/${name}`, ...body }));
};
await inParallel(readdirSync(folder), put, 4);
store.close();
