import { CoreV1Api, setHeaderOptions, type KubeConfig, type RequestContext } from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import type { ObjectMeta, ObjectRef } from '../../domain/resources/meta.ts';
import { clusterCall } from './cluster-call.ts';
import type { StraySecret } from './cluster.ts';
import { registrySecretOf, storedAnnotation } from './credential-store.ts';
import { ListWatch, type CacheOptions } from './list-watch.ts';

/** A Secret that belongs to a RegistrySecret. Never its content. */
export interface CredentialSecret {
  /** The RegistrySecret that it belongs to. */
  readonly owner: ObjectRef & { readonly uid: string };
}

/** The Secrets that hold credentials, as they come and go. */
export interface CredentialWatch {
  list(): readonly CredentialSecret[];
  /** Those that we wrote and that have no owner: their RegistrySecret is about to come, or was refused. */
  strays(): readonly StraySecret[];
  /** Calls back for every Secret that appears, changes or goes (`gone` true). */
  onChange(listener: (secret: CredentialSecret, gone: boolean) => void): void;
  stop(): void;
}

interface WatchedSecret {
  readonly metadata: ObjectMeta;
}

const labelSelector = 'app.kubernetes.io/part-of=image-management';
/** Asks for names and labels only: passwords stay where they are. */
const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const metadataListOnly = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
const pageSize = 500;

/** Watches the Secrets of RegistrySecrets by their metadata. What is not known yet is not there. */
export function watchCredentials(config: KubeConfig, options: CacheOptions = {}): CredentialWatch {
  const watch = new ListWatch<WatchedSecret>(
    {
      config: accepting(config, metadataOnly),
      path: '/api/v1/secrets',
      query: { labelSelector },
      list: () => listMetadata(config.makeApiClient(CoreV1Api)),
      parse: parseSecret,
    },
    options,
  );
  void watch.start();
  return {
    list: () => watch.list().flatMap(credentialOf),
    strays: () => watch.list().flatMap(strayOf),
    onChange: (listener) =>
      watch.onChange((secret, gone) => {
        for (const credential of credentialOf(secret)) listener(credential, gone);
      }),
    stop: () => watch.stop(),
  };
}

async function listMetadata(
  core: CoreV1Api,
): Promise<{ readonly items: readonly WatchedSecret[]; readonly resourceVersion: string }> {
  const items: WatchedSecret[] = [];
  let next = '';
  for (;;) {
    const page = { labelSelector, limit: pageSize, ...(next === '' ? {} : { _continue: next }) };
    const list = await clusterCall('secrets', () =>
      core.listSecretForAllNamespaces(page, setHeaderOptions('Accept', metadataListOnly)),
    );
    // The API server writes an empty list of metadata as null.
    const found: readonly unknown[] | null = list.items;
    items.push(...(found ?? []).map(parseSecret));
    next = list.metadata?._continue ?? '';
    if (next === '') return { items, resourceVersion: list.metadata?.resourceVersion ?? '' };
  }
}

/** Throws `ClusterUnavailable` where the server sends no object. */
function parseSecret(value: unknown): WatchedSecret {
  const metadata: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'metadata') : undefined;
  if (typeof metadata !== 'object' || metadata === null || typeof Reflect.get(metadata, 'name') !== 'string')
    throw new Failure('ClusterUnavailable', { side: 'cluster', detail: 'the answer is no Secret' });
  return { metadata: metadata as ObjectMeta };
}

function credentialOf({ metadata }: WatchedSecret): CredentialSecret[] {
  const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'RegistrySecret');
  return owner === undefined
    ? []
    : [{ owner: { namespace: metadata.namespace ?? '', name: owner.name, uid: owner.uid } }];
}

/** Others may use our label, and even such a name: only what we wrote says when. */
function strayOf({ metadata }: WatchedSecret): StraySecret[] {
  const { namespace = '', uid = '', resourceVersion = '', ownerReferences = [] } = metadata;
  const name = registrySecretOf(metadata.name);
  const storedMs = Date.parse(metadata.annotations?.[storedAnnotation] ?? '');
  if (name === undefined || Number.isNaN(storedMs) || ownerReferences.length > 0) return [];
  return [{ ref: { namespace, name }, uid, resourceVersion, storedMs }];
}

/** The same configuration, asking for answers of another form. */
function accepting(config: KubeConfig, accept: string): KubeConfig {
  const own: KubeConfig = Object.create(config);
  own.applySecurityAuthentication = async (context: RequestContext) => {
    await config.applySecurityAuthentication(context);
    context.setHeaderParam('Accept', accept);
  };
  return own;
}
