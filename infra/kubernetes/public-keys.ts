import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import type { PublicKeyRef } from '../../domain/resources/repository.ts';
import { clusterCallIfPresent } from './cluster-call.ts';

/** Reads public keys that Repositories name. */
export interface PublicKeyStore {
  /** The PEM text. Throws `SecretNotFound` where the object, or the entry in it, is not there. */
  read(namespace: string, ref: PublicKeyRef): Promise<string>;
}

/** Public keys in Secrets and ConfigMaps, of the Repository's own namespace only; read at every use, so that a rotation counts at once. */
export function createPublicKeyStore(config: KubeConfig): PublicKeyStore {
  const core = config.makeApiClient(CoreV1Api);
  return {
    async read(namespace, { kind, name, key = 'cosign.pub' }) {
      const text =
        kind === 'Secret'
          ? await inSecret(core, namespace, name, key)
          : await inMap(core, namespace, name, key);
      if (text !== undefined) return text;
      throw new Failure('SecretNotFound', {
        side: 'cluster',
        subject: `${kind} ${namespace}/${name}`,
        detail: key,
      });
    },
  };
}

async function inSecret(
  core: CoreV1Api,
  namespace: string,
  name: string,
  key: string,
): Promise<string | undefined> {
  const secret = await clusterCallIfPresent(`secrets/${name}`, () =>
    core.readNamespacedSecret({ namespace, name }),
  );
  const data = secret?.data?.[key];
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8');
}

async function inMap(
  core: CoreV1Api,
  namespace: string,
  name: string,
  key: string,
): Promise<string | undefined> {
  const map = await clusterCallIfPresent(`configmaps/${name}`, () =>
    core.readNamespacedConfigMap({ namespace, name }),
  );
  return map?.data?.[key];
}
