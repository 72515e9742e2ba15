import {
  CoordinationV1Api,
  PatchStrategy,
  setHeaderOptions,
  V1MicroTime,
  type KubeConfig,
} from '@kubernetes/client-node';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { clusterCall, clusterCallIfPresent } from './cluster-call.ts';

/** The Lease that whichever workers live keep fresh. It elects nobody: any number of workers may run. */
export const presenceLease = 'image-controller';
const field = 'imageferry-presence';
const everyMs = 10_000;
const applyPatch = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);
const lease = { namespace: systemNamespace, name: presenceLease };

/** Says every ten seconds that this worker lives. Returns the function that ends it. */
export function announcePresence(
  config: KubeConfig,
  instance: string,
  onTrouble: (error: unknown) => void,
): () => void {
  const api = config.makeApiClient(CoordinationV1Api);
  const renew = async (): Promise<void> => {
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...lease, labels: { 'app.kubernetes.io/part-of': 'image-management' } },
      spec: {
        holderIdentity: instance.slice(0, 128),
        leaseDurationSeconds: (3 * everyMs) / 1000,
        renewTime: new V1MicroTime(),
      },
    };
    await clusterCall(`leases/${presenceLease}`, () =>
      api.patchNamespacedLease({ ...lease, body, fieldManager: field, force: true }, applyPatch),
    );
  };
  const turn = (): void => void renew().catch(onTrouble);
  turn();
  const timer = setInterval(turn, everyMs);
  return () => clearInterval(timer);
}

/** How long no worker has said that it lives. */
export interface PresenceWatch {
  /** Milliseconds since this process last saw a sign of life; by its own clock, so that clocks need not agree. */
  silenceMs(): number;
  stop(): void;
}

/** Looks every `lookMs` milliseconds (default: ten seconds). What cannot be read counts as silence only once it lasted as long as silence would have. */
export function watchPresence(
  config: KubeConfig,
  onTrouble: (error: unknown) => void,
  lookMs = everyMs,
): PresenceWatch {
  const api = config.makeApiClient(CoordinationV1Api);
  let seen = '';
  let since = performance.now();
  const look = async (): Promise<void> => {
    const found = await clusterCallIfPresent(`leases/${presenceLease}`, () => api.readNamespacedLease(lease));
    const renewed = JSON.stringify(found?.spec?.renewTime ?? '');
    if (renewed !== seen) since = performance.now();
    seen = renewed;
  };
  const turn = (): void => void look().catch(onTrouble);
  turn();
  const timer = setInterval(turn, lookMs).unref();
  return { silenceMs: () => performance.now() - since, stop: () => clearInterval(timer) };
}
