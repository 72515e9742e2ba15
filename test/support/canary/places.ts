import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import proto from '@temporalio/proto';
import { connectAuditObjects } from '../../../infra/audit/connect-audit.ts';
import type { Endpoints } from '../../../infra/local/endpoints.ts';
import { connectTemporal } from '../../../infra/temporal/connection.ts';
import { sharedDataConverter } from '../../../infra/temporal/data-converter.ts';
import { allOfEtcd } from '../kubectl.ts';
import { payloadsIn } from './payloads.ts';

/** Something that was written during the run. */
export interface Place {
  readonly where: string;
  readonly bytes: Buffer;
}

/** Every value of etcd but those of Secrets, which are what passwords are for. Events are among them. */
export async function* etcdValues(): AsyncGenerator<Place> {
  for (const { key, value } of await allOfEtcd())
    if (!key.startsWith('/registry/secrets/')) yield { where: `etcd ${key}`, bytes: value };
}

/** The history of every workflow run, as it lies in the server and, where payloads are sealed, opened. */
export async function* histories(endpoints: Endpoints): AsyncGenerator<Place> {
  const dataConverter = sharedDataConverter(process.env['TEMPORAL_CODEC_KEYS']);
  const { temporalAddress: address, temporalNamespace: namespace } = endpoints;
  const client = connectTemporal({ address, namespace, dataConverter });
  const codecs = dataConverter.payloadCodecs ?? [];
  try {
    for await (const { workflowId, runId } of client.workflow.list()) {
      const where = `history of ${workflowId} ${runId}`;
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      yield { where, bytes: Buffer.from(proto.temporal.api.history.v1.History.encode(history).finish()) };
      for (const codec of codecs) yield { where, bytes: await opened(history, codec) };
    }
  } finally {
    await client.connection.close();
  }
}

type Codec = NonNullable<ReturnType<typeof sharedDataConverter>['payloadCodecs']>[number];

async function opened(history: proto.temporal.api.history.v1.IHistory, codec: Codec): Promise<Buffer> {
  const plain = await codec.decode([...payloadsIn(history)].map(({ payload }) => payload));
  return Buffer.concat(plain.map(({ data }) => Buffer.from(data ?? [])));
}

/** Every object of the bucket: bundles, audit records and what else is kept there. */
export async function* objects({ s3 }: Endpoints): AsyncGenerator<Place> {
  process.env['AWS_ACCESS_KEY_ID'] = s3.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = s3.secretAccessKey;
  const store = connectAuditObjects(s3);
  for await (const { key } of store.list(''))
    yield { where: `s3 ${key}`, bytes: Buffer.from((await store.read(key)) ?? '', 'utf8') };
}

/**
 * Files that are there to hold secrets: what the stack invented, what people are given, what servers are set up with,
 * and etcd's own files, which hold the Secrets.
 */
const keepers = [
  /^secrets\.json$/,
  /^endpoints\.json$/,
  /^(controller\.)?kubeconfig$/,
  /^tokens\.csv$/,
  /^s3\.json$/,
  /^etcd\//,
  /^s3\//,
  /\.sock$/,
];
/** Larger files hold layers, not words. */
const mostBytes = 64 * 1024 * 1024;

/** Every other file of the run: logs, Temporal's database, registries, spools. */
export function* files(folder: string): Generator<Place> {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    const info = statSync(path, { throwIfNoEntry: false });
    if (info?.isFile() !== true || info.size > mostBytes || keepers.some((keeper) => keeper.test(name)))
      continue;
    yield { where: `file ${relative(folder, path)}`, bytes: readFileSync(path) };
  }
}
