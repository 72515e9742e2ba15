import { KubeConfig } from '@kubernetes/client-node';

/** The cluster of `KUBECONFIG` (or the default file), or the one this process runs in. */
export function connectCluster(kubeconfig: string | undefined): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig !== undefined && kubeconfig !== '') config.loadFromFile(kubeconfig);
  else config.loadFromDefault();
  return config;
}
