import { CoordinationV1Api, type KubeConfig } from '@kubernetes/client-node';
import { createHash } from 'node:crypto';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { callExpecting } from './cluster-call.ts';
import type { NameClaims } from '../storage/name-claims.ts';

/**
 * Claims as Leases in our own namespace: the API server creates a name once, whoever asks. They are never renewed and
 * stay, as a bundle's number is never used again.
 */
export function createLeaseClaims(config: KubeConfig, namespace: string = systemNamespace): NameClaims {
  const leases = config.makeApiClient(CoordinationV1Api);
  return {
    async claim(name, value) {
      const lease = leaseName(name);
      const body = {
        metadata: {
          namespace,
          name: lease,
          labels: { 'app.kubernetes.io/part-of': 'image-management' },
          annotations: { 'image.theriseunion.io/claim': name },
        },
        spec: { holderIdentity: value },
      };
      const created = await callExpecting(() => leases.createNamespacedLease({ namespace, body }), 409);
      if (created !== undefined) return true;
      const there = await callExpecting(() => leases.readNamespacedLease({ namespace, name: lease }));
      return there?.spec?.holderIdentity === value;
    },
  };
}

const leaseName = (name: string): string =>
  `imageferry-claim-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
