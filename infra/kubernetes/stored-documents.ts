import { CoreV1Api, type KubeConfig, type V1ConfigMap } from '@kubernetes/client-node';
import { asFailure } from '../../domain/failure.ts';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { clusterCall } from './cluster-call.ts';
import { documentAnnotation, documentLabels, documentName } from './documents.ts';

/** A document as it lies there. */
export interface StoredDocument {
  readonly key: string;
  readonly version: string;
  /** Epoch milliseconds, as {@link StoredDocuments.mark} wrote it; whoever writes the document takes it away. */
  readonly unownedSince?: number;
}

/** The documents that are there, to be tidied up. One that was written after it was listed is left alone. */
export interface StoredDocuments {
  list(): AsyncIterable<StoredDocument>;
  /** Notes since when it is about nothing, in epoch milliseconds; undefined takes the note away. */
  mark(document: StoredDocument, since: number | undefined): Promise<void>;
  remove(document: StoredDocument): Promise<void>;
}

const sinceAnnotation = 'image.theriseunion.io/unowned-since';
/** Documents looked at together: each may be 1 MiB. */
const pageSize = 20;

/** Those that `createDocuments` writes. */
export function createStoredDocuments(
  config: KubeConfig,
  namespace: string = systemNamespace,
): StoredDocuments {
  const core = config.makeApiClient(CoreV1Api);
  return {
    async *list() {
      const labelSelector = Object.entries(documentLabels)
        .map(([name, value]) => `${name}=${value}`)
        .join(',');
      let _continue: string | undefined;
      do {
        const from = _continue === undefined ? {} : { _continue };
        const page = await clusterCall('documents', () =>
          core.listNamespacedConfigMap({ namespace, labelSelector, limit: pageSize, ...from }),
        );
        for (const map of page.items) yield* storedIn(map);
        _continue = page.metadata?._continue || undefined;
      } while (_continue !== undefined);
    },
    mark({ key, version }, since) {
      const name = documentName(key);
      return unlessChanged(key, async () => {
        const map = await core.readNamespacedConfigMap({ namespace, name });
        if (map.metadata?.resourceVersion !== version) return;
        const { [sinceAnnotation]: _, ...others } = map.metadata.annotations ?? {};
        const noted = since === undefined ? {} : { [sinceAnnotation]: new Date(since).toISOString() };
        map.metadata.annotations = { ...others, ...noted };
        await core.replaceNamespacedConfigMap({ namespace, name, body: map });
      });
    },
    remove({ key, version: resourceVersion }) {
      const body = { preconditions: { resourceVersion } };
      return unlessChanged(key, async () => {
        await core.deleteNamespacedConfigMap({ namespace, name: documentName(key), body });
      });
    },
  };
}

/** Somebody who wrote it, or took it away, in the meantime was right to. */
async function unlessChanged(key: string, work: () => Promise<void>): Promise<void> {
  try {
    await clusterCall(key, work);
  } catch (error) {
    const { code } = asFailure(error);
    if (code !== 'Conflict' && code !== 'NotFound') throw error;
  }
}

/** Nothing where it is no document, or lies under a name that is not its own. */
function storedIn({ metadata }: V1ConfigMap): readonly StoredDocument[] {
  const key = metadata?.annotations?.[documentAnnotation];
  const version = metadata?.resourceVersion;
  if (key === undefined || version === undefined || metadata?.name !== documentName(key)) return [];
  const since = Date.parse(metadata.annotations?.[sinceAnnotation] ?? '');
  return [{ key, version, ...(Number.isNaN(since) ? {} : { unownedSince: since }) }];
}
