import { join } from 'node:path';
import { apiGroup, apiVersion, systemNamespace } from '../../domain/resources/meta.ts';
import type { Applier } from './apply.ts';
import { applier, applyDeploy } from './apply.ts';
import type { Endpoints } from './endpoints.ts';
import { writeEndpoints } from './endpoints.ts';
import { bindPeople, peopleOfCluster } from './people.ts';
import { answers } from './probe.ts';
import type { ProcessSpec } from './process.ts';
import { auditKey } from './secrets.ts';
import type { Stack, StackOptions } from './stack.ts';
import { startStack } from './stack.ts';
import type { Supervised } from './supervise.ts';
import { supervise } from './supervise.ts';

const root = join(import.meta.dirname, '..', '..');

/** The servers with our API and worker on top. */
export interface Product {
  readonly folder: string;
  readonly endpoints: Endpoints;
  stop(): Promise<void>;
}

/**
 * Starts the servers, applies the CRDs, the roles and the site `edge`, then starts the API and the worker, which are
 * started again should they end. Writes `endpoints.json`. Throws where a part does not start; then nothing is left running.
 */
export async function startProduct(options: StackOptions): Promise<Product> {
  const stack = await startStack(options);
  const own: Supervised[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(own.map((one) => one.stop()));
    await stack.stop();
  };
  try {
    const endpoints = await prepareCluster(stack, options.progress.say);
    const specs = [workerProcess(stack), apiProcess(stack)];
    const starts = specs.map(async (spec) =>
      own.push(await supervise(stack.folder, spec, options.progress.say)),
    );
    const failed = (await Promise.allSettled(starts)).find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    options.progress.say('  ✓ API and worker are up');
    return { folder: stack.folder, endpoints, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Applies the CRDs, the roles, people and the site `edge`, and writes `endpoints.json`, which it gives back. */
export async function prepareCluster(stack: Stack, say: (line: string) => void): Promise<Endpoints> {
  const cluster = applier(stack.endpoints.kubeconfig);
  const crds = await applyDeploy(cluster);
  say(`  ✓ kinds and roles are applied (${crds.length} kinds)`);
  const endpoints = { ...stack.endpoints, tokens: await people(cluster, stack) };
  await applySite(cluster, endpoints.registries.edge);
  writeEndpoints(stack.folder, endpoints);
  return endpoints;
}

async function people(cluster: Applier, stack: Stack): Promise<Endpoints['tokens']> {
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: systemNamespace } });
  if (stack.controllerKubeconfig === stack.endpoints.kubeconfig) return peopleOfCluster(cluster);
  await bindPeople(cluster);
  return stack.endpoints.tokens;
}

/** The registry `edge` as the default site, with its credential. */
async function applySite({ apply }: Applier, edge: Endpoints['registries']['edge']): Promise<void> {
  const credentialSecretName = 'site-edge';
  await apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: credentialSecretName, namespace: systemNamespace },
    stringData: { username: edge.username, password: edge.password },
  });
  await apply({
    apiVersion: `${apiGroup}/${apiVersion}`,
    kind: 'EdgeSite',
    metadata: { name: 'edge' },
    spec: { default: true, registry: { domain: edge.domain, credentialSecretName } },
  });
}

function settings({ folder, endpoints, controllerKubeconfig }: Stack): Record<string, string> {
  return {
    KUBECONFIG: controllerKubeconfig,
    TEMPORAL_ADDRESS: endpoints.temporalAddress,
    TEMPORAL_NAMESPACE: endpoints.temporalNamespace,
    TEMPORAL_UI: endpoints.temporalUi,
    AUDIT_SIGNING_KEY_FILE: auditKey(folder),
    AUDIT_SPOOL_DIR: join(folder, 'audit-spool'),
    S3_ENDPOINT: endpoints.s3.endpoint,
    S3_REGION: endpoints.s3.region,
    S3_BUCKET: endpoints.s3.bucket,
    AWS_ACCESS_KEY_ID: endpoints.s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: endpoints.s3.secretAccessKey,
  };
}

function ours(name: string, entry: string): Pick<ProcessSpec, 'name' | 'program' | 'args' | 'cwd'> {
  return { name, program: process.execPath, args: [join(root, entry)], cwd: root };
}

/** The API. */
export function apiProcess(stack: Stack): ProcessSpec {
  const port = stack.ports.api;
  return {
    ...ours('api', 'api/main.ts'),
    env: { ...settings(stack), ...webhooks(stack), API_HOST: '127.0.0.1', API_PORT: String(port) },
    ready: () => answers(`http://127.0.0.1:${port}/readyz`, [200]),
  };
}

/** A cluster of the user's own cannot call this machine's loopback address: only ours is given the webhooks. */
function webhooks({ endpoints, controllerKubeconfig, ports }: Stack): Record<string, string> {
  return controllerKubeconfig === endpoints.kubeconfig
    ? {}
    : { WEBHOOK_URL: `https://127.0.0.1:${ports.webhook}` };
}

/** The worker, or one more of it under another name and metrics port. */
export function workerProcess(
  stack: Stack,
  { name, port }: { readonly name: string; readonly port: number } = {
    name: 'worker',
    port: stack.ports.metrics,
  },
): ProcessSpec {
  return {
    ...ours(name, 'worker/main.ts'),
    env: { ...settings(stack), METRICS_PORT: String(port) },
    ready: () => answers(`http://127.0.0.1:${port}/metrics`, [200]),
    readyWithin: 120_000,
  };
}
