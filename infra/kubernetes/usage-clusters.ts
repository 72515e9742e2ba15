import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { clusterCall } from './cluster-call.ts';
import type { ResourceClients } from './cluster.ts';
import { createPodImageLister, type PodImageLister } from './pod-images.ts';

/** A cluster whose Pods use images. Every one has to answer before anything is deleted. */
export interface UsageCluster {
  /** `hub`, or the site's name. */
  readonly name: string;
  readonly pods: PodImageLister;
}

/** All clusters that are known now: the hub's, and that of every EdgeSite which names a kubeconfig. */
export type UsageClusters = () => Promise<readonly UsageCluster[]>;

/** The clusters as the EdgeSites name them. One whose kubeconfig cannot be used is a cluster that does not answer. */
export function createUsageClusters(hub: KubeConfig, resources: ResourceClients): UsageClusters {
  const core = hub.makeApiClient(CoreV1Api);
  const readKubeconfig = async (name: string): Promise<string> => {
    const secret = await clusterCall(`secrets ${name}`, () =>
      core.readNamespacedSecret({ name, namespace: systemNamespace }),
    );
    return Buffer.from(secret.data?.['kubeconfig'] ?? '', 'base64').toString('utf8');
  };
  return async () => {
    const sites = await resources.resource('edgesites').list();
    const others = sites.flatMap(({ metadata, spec }): UsageCluster[] => {
      const secretName = spec.kubeconfigSecretName;
      if (secretName === undefined) return [];
      const list = async () => createPodImageLister(parseKubeconfig(await readKubeconfig(secretName))).list();
      return [{ name: metadata.name, pods: { list } }];
    });
    return [{ name: 'hub', pods: createPodImageLister(hub) }, ...others];
  };
}

/**
 * Reads a kubeconfig out of a Secret. One that would run a program or read a file of ours is refused: whoever may write
 * the Secret must not reach that far. Throws `ClusterUnavailable`.
 */
export function parseKubeconfig(text: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
  } catch {
    throw refusal('it is no kubeconfig');
  }
  if (config.getCurrentCluster() === null) throw refusal('it names no cluster');
  const reaches =
    config.users.some(
      ({ exec, authProvider, certFile, keyFile }) =>
        (exec ?? authProvider ?? certFile ?? keyFile) !== undefined,
    ) || config.clusters.some(({ caFile }) => caFile !== undefined);
  if (reaches) throw refusal('it may hold no programs and no file names');
  return config;
}

const refusal = (detail: string): Failure =>
  new Failure('ClusterUnavailable', { side: 'cluster', subject: 'kubeconfig of a site', detail });
