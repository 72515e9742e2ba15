import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CoreV1Api, type KubeConfig, type V1ConfigMap } from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { callExpecting } from './cluster-call.ts';

/** A text, and the version it was seen at; neither where there is none. */
export interface VersionedText {
  readonly text?: string;
  readonly version?: string;
}

/** Text that is too long for a status and no secret, such as a cleanup plan; by key. */
export interface Documents {
  /** Undefined where there is none. */
  read(key: string): Promise<string | undefined>;
  /** Replaces it as a whole, whoever wrote it last. Throws `PayloadTooLarge` above what a ConfigMap holds. */
  write(key: string, text: string): Promise<void>;
  /** What {@link replace} builds on. */
  look(key: string): Promise<VersionedText>;
  /**
   * The same as {@link write}, if it still is what was seen; answers the version it has now. Throws `Conflict` where
   * somebody else wrote it meanwhile.
   */
  replace(key: string, text: string, version: string | undefined): Promise<string | undefined>;
}

/** A ConfigMap holds 1 MiB; base64 adds a third, and there is metadata. */
const maxBytes = 740_000;
const maxTextBytes = 64 * 1024 * 1024;
const field = 'document.gz';

/** What all of them are found by. */
export const documentLabels = { 'app.kubernetes.io/part-of': 'image-management' };
/** Says a document's key. */
export const documentAnnotation = 'image.theriseunion.io/document';

/** Documents as compressed ConfigMaps in our own namespace, one a key. */
export function createDocuments(config: KubeConfig, namespace: string = systemNamespace): Documents {
  const core = config.makeApiClient(CoreV1Api);
  const look = async (key: string): Promise<VersionedText> => {
    const map = await callExpecting(
      () => core.readNamespacedConfigMap({ namespace, name: documentName(key) }),
      404,
    );
    return { ...textOf(map), ...versionOf(map) };
  };
  return {
    look,
    read: async (key) => (await look(key)).text,
    async replace(key, text, version) {
      const body = documentMap(key, text, namespace, version);
      const written = await callExpecting(
        () =>
          version === undefined
            ? core.createNamespacedConfigMap({ namespace, body })
            : core.replaceNamespacedConfigMap({ namespace, name: documentName(key), body }),
        409,
      );
      if (written === undefined) throw new Failure('Conflict', { side: 'cluster', subject: key });
      return versionOf(written).version;
    },
    async write(key, text) {
      const body = documentMap(key, text, namespace);
      const created = await callExpecting(() => core.createNamespacedConfigMap({ namespace, body }), 409);
      if (created === undefined)
        await callExpecting(() =>
          core.replaceNamespacedConfigMap({ namespace, name: documentName(key), body }),
        );
    },
  };
}

function textOf(map: V1ConfigMap | undefined): Pick<VersionedText, 'text'> {
  const data = map?.binaryData?.[field];
  if (data === undefined) return {};
  const text = gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: maxTextBytes });
  return { text: text.toString('utf8') };
}

function versionOf(map: V1ConfigMap | undefined): Pick<VersionedText, 'version'> {
  const version = map?.metadata?.resourceVersion;
  return version === undefined ? {} : { version };
}

function documentMap(key: string, text: string, namespace: string, version?: string): V1ConfigMap {
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
      name: documentName(key),
      ...(version === undefined ? {} : { resourceVersion: version }),
      labels: documentLabels,
      annotations: { [documentAnnotation]: key },
    },
    binaryData: { [field]: packed.toString('base64') },
  };
}

/** Name of a document's ConfigMap. */
export const documentName = (key: string): string =>
  `imageferry-document-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
