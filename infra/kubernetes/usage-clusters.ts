import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import { imageTexts } from '../../domain/usage/pod-usage.ts';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { clusterCall } from './cluster-call.ts';
import type { ResourceClients } from './cluster.ts';
import { createPodImageLister, type PodImageLister } from './pod-images.ts';

/** A cluster whose Pods use images. Every one has to answer before anything is deleted. */
export interface UsageCluster {
  /** `hub`, or the site's name. */
  readonly name: string;
  /** What its Pods use, completely. Throws where it does not say. */
  readonly look: () => Promise<SeenImages>;
}

/** What the Pods of a cluster write about their images. */
export interface SeenImages {
  readonly texts: readonly string[];
  /** Epoch milliseconds. Default: right now. */
  readonly observed?: number;
  /** Milliseconds for which it counts. Default: that of all reports. */
  readonly maxAgeMs?: number;
}

/** Asks a site which says itself what its Pods use. */
export type SiteSpeaker = (site: EdgeSite) => Promise<SeenImages>;

/** How the sites say it that `reportsUsage`. */
export interface SiteSpeakers {
  /** Through their own workers. */
  readonly worker: SiteSpeaker;
  /** Offline, in the letters that are carried back. */
  readonly letter: SiteSpeaker;
}

/** All clusters that are known now: the hub's, that of every EdgeSite which names a kubeconfig, and those that report. */
export type UsageClusters = () => Promise<readonly UsageCluster[]>;

/** The clusters as the EdgeSites name them. One whose kubeconfig cannot be used is a cluster that does not answer. */
export function createUsageClusters(
  hub: KubeConfig,
  resources: ResourceClients,
  speakers: SiteSpeakers,
): UsageClusters {
  const core = hub.makeApiClient(CoreV1Api);
  const readKubeconfig = async (name: string): Promise<string> => {
    const secret = await clusterCall(`secrets ${name}`, () =>
      core.readNamespacedSecret({ name, namespace: systemNamespace }),
    );
    return Buffer.from(secret.data?.['kubeconfig'] ?? '', 'base64').toString('utf8');
  };
  return async () => {
    const sites = await resources.resource('edgesites').list();
    const others = sites.flatMap((site): UsageCluster[] => {
      const { kubeconfigSecretName, reportsUsage, mode } = site.spec;
      const { name } = site.metadata;
      if (kubeconfigSecretName !== undefined) {
        const list = async () =>
          createPodImageLister(parseKubeconfig(await readKubeconfig(kubeconfigSecretName)));
        return [{ name, look: async () => lookAt(await list()) }];
      }
      const ask = mode === 'offline' ? speakers.letter : speakers.worker;
      return reportsUsage === true ? [{ name, look: () => ask(site) }] : [];
    });
    return [{ name: 'hub', look: () => lookAt(createPodImageLister(hub)) }, ...others];
  };
}

async function lookAt(pods: PodImageLister): Promise<SeenImages> {
  return { texts: imageTexts(await pods.list()) };
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
