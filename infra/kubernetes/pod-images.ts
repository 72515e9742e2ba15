import { CoreV1Api, type KubeConfig, type V1ContainerStatus, type V1Pod } from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import type { PodImages } from '../../domain/usage/pod-usage.ts';

/** Lists what the Pods of one cluster use. */
export interface PodImageLister {
  /** All Pods, complete, or `ClusterUnavailable`. */
  list(): Promise<readonly PodImages[]>;
}

const pageSize = 500;
const maxPages = 400;

/** A lister over a cluster's API, in pages, so that a large cluster costs no large answer. */
export function createPodImageLister(config: KubeConfig): PodImageLister {
  const core = config.makeApiClient(CoreV1Api);
  return {
    async list() {
      const found: PodImages[] = [];
      let next: string | undefined;
      for (let page = 0; page < maxPages; page += 1) {
        const answer = await readPage(core, next);
        found.push(...answer.items.map(podImages));
        next = answer.metadata?._continue;
        if (next === undefined || next === '') return found;
      }
      throw new Failure('ClusterUnavailable', { side: 'cluster', detail: 'the list of Pods has no end' });
    },
  };
}

async function readPage(core: CoreV1Api, next: string | undefined) {
  try {
    return await core.listPodForAllNamespaces({
      limit: pageSize,
      timeoutSeconds: 20,
      ...(next === undefined ? {} : { _continue: next }),
    });
  } catch (error) {
    throw new Failure('ClusterUnavailable', {
      side: 'cluster',
      detail: 'Pods could not be listed',
      cause: error,
    });
  }
}

function podImages(pod: V1Pod): PodImages {
  return {
    namespace: pod.metadata?.namespace ?? '',
    name: pod.metadata?.name ?? '',
    images: specImages(pod),
    statuses: statusesOf(pod).map(({ image, imageID }) => ({ image, imageID })),
  };
}

/** Images of containers of every kind, and of image volumes. */
function specImages({ spec }: V1Pod): string[] {
  const containers = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  const volumes = (spec?.volumes ?? []).map(({ image }) => image?.reference ?? '');
  return [...containers.map(({ image }) => image ?? ''), ...volumes];
}

function statusesOf({ status }: V1Pod): V1ContainerStatus[] {
  return [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
}
