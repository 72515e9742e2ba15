import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CoreV1Api, type KubeConfig, type V1ConfigMap } from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { callExpecting } from './cluster-call.ts';

/** Text that is too long for a status and no secret, such as a cleanup plan; by key. */
export interface Documents {
  /** Undefined where there is none. */
  read(key: string): Promise<string | undefined>;
  /** Replaces it as a whole. Throws `PayloadTooLarge` above what a ConfigMap holds. */
  write(key: string, text: string): Promise<void>;
}

/** A ConfigMap holds 1 MiB; base64 adds a third, and there is metadata. */
const maxBytes = 740_000;
const maxTextBytes = 64 * 1024 * 1024;
const field = 'document.gz';

/** Documents as compressed ConfigMaps in our own namespace, one a key. */
export function createDocuments(config: KubeConfig, namespace: string = systemNamespace): Documents {
  const core = config.makeApiClient(CoreV1Api);
  return {
    async read(key) {
      const map = await callExpecting(
        () => core.readNamespacedConfigMap({ namespace, name: nameOf(key) }),
        404,
      );
      const data = map?.binaryData?.[field];
      if (data === undefined) return undefined;
      return gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: maxTextBytes }).toString('utf8');
    },
    async write(key, text) {
      const body = documentMap(key, text, namespace);
      const created = await callExpecting(() => core.createNamespacedConfigMap({ namespace, body }), 409);
      if (created === undefined)
        await callExpecting(() => core.replaceNamespacedConfigMap({ namespace, name: nameOf(key), body }));
    },
  };
}

function documentMap(key: string, text: string, namespace: string): V1ConfigMap {
  const packed = gzipSync(text);
  if (packed.byteLength > maxBytes) {
    throw new Failure('PayloadTooLarge', {
      side: 'cluster',
      subject: key,
      detail: `${packed.byteLength} bytes compressed, at most ${maxBytes}`,
    });
  }
  return {
    metadata: {
      namespace,
      name: nameOf(key),
      labels: { 'app.kubernetes.io/part-of': 'image-management' },
      annotations: { 'image.theriseunion.io/document': key },
    },
    binaryData: { [field]: packed.toString('base64') },
  };
}

const nameOf = (key: string): string =>
  `imageferry-document-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
