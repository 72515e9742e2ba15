import { join, resolve } from 'node:path';
import type { Endpoints } from './endpoints.ts';
import { writeEndpoints } from './endpoints.ts';
import { elapsed, lineProgress } from './install/progress.ts';
import type { Progress } from './install/progress.ts';
import type { ProgramName } from './install/programs.ts';
import { programs } from './install/programs.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import type { PortName, Ports } from './ports.ts';
import { assertFree, choosePorts } from './ports.ts';
import type { Running } from './process.ts';
import { claim, stopLeftovers } from './running.ts';
import type { Secrets } from './secrets.ts';
import { secretsOf } from './secrets.ts';
import { caOf, startApiServer } from './servers/apiserver.ts';
import { startEtcd } from './servers/etcd.ts';
import { startRegistry } from './servers/registry.ts';
import { ensureBucket, startS3 } from './servers/s3.ts';
import { startTemporal } from './servers/temporal.ts';

export interface StackOptions {
  /** Holds all state; made where it is missing. One stack a folder. */
  readonly folder: string;
  /** Random free ports instead of the usual ones. Default: false. */
  readonly randomPorts?: boolean;
  readonly progress: Progress;
  /** `KUBECONFIG`, `TEMPORAL_ADDRESS` and `S3_ENDPOINT` in it are used instead of set up. Default: the process's. */
  readonly env?: NodeJS.ProcessEnv;
}

/** The servers that the product needs, running. */
export interface Stack {
  readonly folder: string;
  readonly ports: Ports;
  readonly endpoints: Endpoints;
  /** Path of the kubeconfig that the API and the worker use. */
  readonly controllerKubeconfig: string;
  readonly processes: readonly Running[];
  /** Stops everything that it started, the newest first; resolves when all are gone. */
  stop(): Promise<void>;
}

interface Context {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly paths: Readonly<Partial<Record<ProgramName, string>>>;
  readonly started: Running[];
  readonly progress: Progress;
}

/** What there is of one's own already. */
const given = (env: NodeJS.ProcessEnv) => ({
  kubernetes: (env['KUBECONFIG'] ?? '') !== '',
  temporal: (env['TEMPORAL_ADDRESS'] ?? '') !== '',
  s3: (env['S3_ENDPOINT'] ?? '') !== '',
});

/**
 * Starts the servers in `folder`: those of an earlier start that was killed are stopped first. Throws where a port is
 * taken, the folder is in use, or a server does not start; then nothing is left running.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { progress, env = process.env } = options;
  const folder = resolve(options.folder);
  const held = claim(folder);
  const started: Running[] = [];
  const stop = async (): Promise<void> => {
    await stopAll(started);
    held.release();
  };
  try {
    const leftovers = await stopLeftovers(folder);
    if (leftovers.length > 0) progress.say(`  ✓ stopped what a killed start left: ${leftovers.join(', ')}`);
    const ports = await choosePorts(options.randomPorts ?? false, env);
    await assertFree(ports, neededPorts(env));
    const paths = await programs(neededPrograms(env), progress);
    const context = { folder, env, ports, secrets: secretsOf(folder), paths, started, progress };
    const endpoints = await startServers(context);
    const controllerKubeconfig = given(env).kubernetes
      ? endpoints.kubeconfig
      : join(folder, 'controller.kubeconfig');
    return { folder, ports, endpoints, controllerKubeconfig, processes: started, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function stopAll(started: Running[]): Promise<void> {
  // The API server loses its store otherwise, and complains for seconds.
  for (const name of ['kube-apiserver']) await started.find((one) => one.name === name)?.stop();
  await Promise.all(started.map((one) => one.stop()));
  started.length = 0;
}

function neededPrograms(env: NodeJS.ProcessEnv): ProgramName[] {
  const { kubernetes, temporal, s3 } = given(env);
  return [
    ...(temporal ? [] : (['temporal'] as const)),
    ...(s3 ? [] : (['weed'] as const)),
    'registry',
    ...(kubernetes ? [] : (['etcd', 'apiserver'] as const)),
  ];
}

function neededPorts(env: NodeJS.ProcessEnv): PortName[] {
  const { kubernetes, temporal, s3 } = given(env);
  const names: PortName[] = ['api', 'metrics', 'upstream', 'edge'];
  if (!kubernetes) names.push('webhook', 'apiserver', 'etcd', 'etcdPeer');
  if (!temporal) names.push('temporal', 'temporalUi', 'temporalHttp', 'temporalMetrics');
  if (!s3) names.push('s3', 's3Grpc', 's3Master', 's3MasterGrpc', 's3Volume', 's3VolumeGrpc');
  if (!s3) names.push('s3Filer', 's3FilerGrpc', 's3Admin', 's3AdminGrpc');
  return names;
}

async function startServers(context: Context): Promise<Endpoints> {
  const { folder, env, secrets, ports, started, progress } = context;
  const from = performance.now();
  const keep = async (server: Promise<Running>): Promise<void> => {
    started.push(await server);
  };
  const outcomes = await Promise.allSettled([
    keep(registry(context, 'upstream')),
    keep(registry(context, 'edge')),
    startKubernetes(context, keep),
    given(env).temporal ? undefined : keep(startTemporal(folder, path(context, 'temporal'), ports)),
    given(env).s3 ? undefined : keep(startS3(folder, path(context, 'weed'), ports, secrets.s3)),
  ]);
  const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  if (failures.length > 0)
    throw failures.length === 1 ? failures[0] : new Error(failures.map(String).join('\n'));
  const endpoints = describe(context);
  if (given(env).s3) await useGivenBucket(endpoints.s3);
  progress.say(`  ✓ servers are up (${elapsed(performance.now() - from)})`);
  return endpoints;
}

/** The variable may have been set for something else in the same shell, so what does not answer is named with it. */
async function useGivenBucket(s3: Endpoints['s3']): Promise<void> {
  try {
    await ensureBucket(s3);
  } catch (error) {
    const why = error instanceof Error ? error.message || error.name : String(error);
    throw new Error(
      `The S3 that S3_ENDPOINT names (${s3.endpoint}) cannot be used: ${why}\nUnset S3_ENDPOINT, and one is started here.`,
      { cause: error },
    );
  }
}

async function startKubernetes(
  context: Context,
  keep: (server: Promise<Running>) => Promise<void>,
): Promise<void> {
  const { folder, env, ports, secrets } = context;
  if (given(env).kubernetes) return;
  await keep(startEtcd(folder, path(context, 'etcd'), ports));
  await keep(startApiServer(folder, path(context, 'apiserver'), ports, secrets));
  const server = `https://127.0.0.1:${ports.apiserver}`;
  const { clusterAdmin, controller } = secrets.tokens;
  writeKubeconfig(join(folder, 'kubeconfig'), server, caOf(folder), clusterAdmin);
  writeKubeconfig(join(folder, 'controller.kubeconfig'), server, caOf(folder), controller);
}

function registry(context: Context, name: 'upstream' | 'edge'): Promise<Running> {
  const { folder, ports, secrets } = context;
  return startRegistry(folder, path(context, 'registry'), {
    name,
    port: ports[name],
    username: name,
    password: secrets.passwords[name],
  });
}

function path(context: Context, name: ProgramName): string {
  const found = context.paths[name];
  if (found === undefined) throw new Error(`${name} was not installed`);
  return found;
}

function describe({ folder, env, ports, secrets }: Context): Endpoints {
  const at = (port: number): string => `127.0.0.1:${port}`;
  const registryOf = (name: 'upstream' | 'edge') => ({
    domain: at(ports[name]),
    username: name,
    password: secrets.passwords[name],
  });
  const { admin, operator, viewer } = secrets.tokens;
  return {
    api: `http://${at(ports.api)}`,
    workerMetrics: `http://${at(ports.metrics)}/metrics`,
    temporalAddress: given(env).temporal ? (env['TEMPORAL_ADDRESS'] ?? '') : at(ports.temporal),
    temporalNamespace: env['TEMPORAL_NAMESPACE'] ?? 'default',
    temporalUi: env['TEMPORAL_UI'] ?? `http://${at(ports.temporalUi)}`,
    kubeconfig: given(env).kubernetes ? (env['KUBECONFIG'] ?? '') : join(folder, 'kubeconfig'),
    s3: {
      endpoint: given(env).s3 ? (env['S3_ENDPOINT'] ?? '') : `http://${at(ports.s3)}`,
      region: env['S3_REGION'] ?? 'us-east-1',
      bucket: env['S3_BUCKET'] ?? 'imageferry',
      accessKeyId: given(env).s3 ? (env['AWS_ACCESS_KEY_ID'] ?? '') : secrets.s3.accessKeyId,
      secretAccessKey: given(env).s3 ? (env['AWS_SECRET_ACCESS_KEY'] ?? '') : secrets.s3.secretAccessKey,
    },
    registries: { upstream: registryOf('upstream'), edge: registryOf('edge') },
    tokens: { admin, operator, viewer },
  };
}

async function main(): Promise<void> {
  const folder = argument('--dir') ?? '.local';
  const progress = lineProgress();
  const stack = await startStack({ folder, randomPorts: process.argv.includes('--random-ports'), progress });
  writeEndpoints(folder, stack.endpoints);
  progress.say(`  ${resolve(folder, 'endpoints.json')} says where they are. Ctrl-C stops them.`);
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => done());
  });
  await stack.stop();
}

function argument(name: string): string | undefined {
  const index = process.argv.indexOf(name);
  return index < 0 ? undefined : process.argv[index + 1];
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
