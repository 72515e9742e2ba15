import type { KubernetesObject } from '@kubernetes/client-node';
import { KubeConfig, KubernetesObjectApi, loadAllYaml, PatchStrategy } from '@kubernetes/client-node';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

type Condition = { readonly type: string; readonly status: string };

const deploy = join(import.meta.dirname, '..', 'deploy');

/** What is applied, in this order; workloads are left out, as here the API and the worker are plain processes. */
const order = [
  'Namespace',
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'Role',
  'ClusterRoleBinding',
  'RoleBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
];

/** Any object with a kind. */
export type AppliedObject = KubernetesObject & Readonly<Record<string, unknown>>;

/** Applies objects to a cluster by server-side apply. */
export interface Applier {
  readonly config: KubeConfig;
  readonly apply: (object: AppliedObject) => Promise<void>;
}

/** An applier for the cluster of a kubeconfig. */
export function applier(kubeconfig: string): Applier {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const client = KubernetesObjectApi.makeApiClient(config);
  return {
    config,
    async apply(object) {
      await client.patch(
        object,
        undefined,
        undefined,
        'imageferry-local',
        true,
        PatchStrategy.ServerSideApply,
      );
    },
  };
}

/** Applies the CRDs and the roles of `infra/deploy`, and waits until the CRDs can be used. Gives back the CRDs' names. */
export async function applyDeploy({ config, apply }: Applier): Promise<string[]> {
  const objects = objectsOf(deploy).sort(
    (left, right) => order.indexOf(left.kind ?? '') - order.indexOf(right.kind ?? ''),
  );
  for (const object of objects) await apply({ ...object });
  const crds = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  const client = KubernetesObjectApi.makeApiClient(config);
  for (const crd of crds) await established(client, crd);
  return crds.map((crd) => crd.metadata?.name ?? '');
}

function objectsOf(folder: string): KubernetesObject[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml') && !/(^|\/)(helm|charts?|templates)\//.test(name))
    .sort()
    .flatMap((name) => loadAllYaml(readFileSync(join(folder, name), 'utf8')) as KubernetesObject[])
    .filter((object) => order.includes(object?.kind ?? ''));
}

async function established(client: KubernetesObjectApi, crd: KubernetesObject): Promise<void> {
  const header = {
    apiVersion: crd.apiVersion ?? '',
    kind: crd.kind ?? '',
    metadata: { name: crd.metadata?.name ?? '' },
  };
  for (let tries = 0; tries < 300; tries += 1) {
    const found = (await client.read(header)) as {
      readonly status?: { readonly conditions?: readonly Condition[] };
    };
    const good = (type: string): boolean =>
      found.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false;
    if (good('Established') && good('NamesAccepted')) return;
    await sleep(100);
  }
  throw new Error(`The cluster did not accept the kind ${header.metadata.name} in 30 seconds.`);
}
