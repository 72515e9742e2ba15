import { AuthenticationV1Api, type KubeConfig } from '@kubernetes/client-node';
import { clusterCall } from './cluster-call.ts';

/** Who this process is for the cluster, such as `system:serviceaccount:edge-system:image-controller`. */
export async function ownIdentity(
  config: KubeConfig,
): Promise<{ readonly name: string; readonly uid: string }> {
  const api = config.makeApiClient(AuthenticationV1Api);
  const { status } = await clusterCall('selfsubjectreviews', () => api.createSelfSubjectReview({ body: {} }));
  return { name: status?.userInfo?.username ?? 'unknown', uid: status?.userInfo?.uid ?? '' };
}
