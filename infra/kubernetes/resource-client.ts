import { CustomObjectsApi, PatchStrategy, setHeaderOptions, type KubeConfig } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import { kinds, type Plural, type ResourceOf } from '../../domain/resources/kinds.ts';
import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';
import { clusterCall, clusterCallIfPresent } from './cluster-call.ts';
import type { ObjectKey, ResourceClient, ResourceClients } from './cluster.ts';
import { parseList, parseObject } from './parse-object.ts';

/** Field manager of all our writes. */
export const fieldManager = 'imageferry';
/**
 * Largest status that is written, in bytes of JSON: etcd takes 1.5 MiB, and every watcher gets every version. Below 64 KiB
 * but for what is told of each of hundreds of sites (fault O16).
 */
const maxStatusBytes = 524_288;
/** Objects asked for at once. */
const pageSize = 500;
/** Tries to change what others change too (fault O05). */
const maxTries = 8;

const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
const applyPatch = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

type StatusChange<P extends Plural> = (
  object: ResourceOf[P],
) => NonNullable<ResourceOf[P]['status']> | undefined;

/** A list as of one version of the cluster. */
export interface VersionedList<P extends Plural> {
  readonly items: readonly ResourceOf[P][];
  readonly resourceVersion: string;
}

/** Clients of all our kinds. */
export function createResourceClients(config: KubeConfig): ResourceClients {
  return { resource: (plural) => customResource(config, plural) };
}

/** The client of one kind, which can also list with a version. */
export function customResource<P extends Plural>(config: KubeConfig, plural: P): CustomResourceClient<P> {
  return new CustomResourceClient(config.makeApiClient(CustomObjectsApi), plural);
}

export class CustomResourceClient<P extends Plural> implements ResourceClient<P> {
  readonly #api: CustomObjectsApi;
  readonly #plural: P;
  readonly #kind: { readonly group: string; readonly version: string; readonly plural: P };

  constructor(api: CustomObjectsApi, plural: P) {
    this.#api = api;
    this.#plural = plural;
    this.#kind = { group: apiGroup, version: apiVersion, plural };
  }

  async get({ namespace, name }: ObjectKey): Promise<ResourceOf[P] | undefined> {
    const value: unknown = await clusterCallIfPresent(this.#subject(name), () =>
      namespace === undefined
        ? this.#api.getClusterCustomObject({ ...this.#kind, name })
        : this.#api.getNamespacedCustomObject({ ...this.#kind, namespace, name }),
    );
    return value === undefined ? undefined : parseObject(this.#plural, value);
  }

  async list(namespace?: string): Promise<readonly ResourceOf[P][]> {
    return (await this.listWithVersion(namespace)).items;
  }

  /** The list, and the version from which a watch continues it. */
  async listWithVersion(namespace?: string): Promise<VersionedList<P>> {
    let resourceVersion = '';
    const found: ResourceOf[P][] = [];
    let next = '';
    do {
      const page = { ...this.#kind, limit: pageSize, ...(next === '' ? {} : { _continue: next }) };
      const value: unknown = await clusterCall(this.#plural, () =>
        namespace === undefined
          ? this.#api.listClusterCustomObject(page)
          : this.#api.listNamespacedCustomObject({ ...page, namespace }),
      );
      const list = parseList(this.#plural, value);
      found.push(...list.items);
      next = list.next;
      resourceVersion = list.resourceVersion;
    } while (next !== '');
    return { items: found, resourceVersion };
  }

  async create(object: ResourceOf[P]): Promise<ResourceOf[P]> {
    const { name, namespace } = object.metadata;
    const request = { ...this.#kind, body: object, fieldManager, fieldValidation: 'Strict' };
    const value: unknown = await clusterCall(this.#subject(name), () =>
      namespace === undefined
        ? this.#api.createClusterCustomObject(request)
        : this.#api.createNamespacedCustomObject({ ...request, namespace }),
    );
    return parseObject(this.#plural, value);
  }

  async patch({ namespace, name }: ObjectKey, patch: object): Promise<ResourceOf[P]> {
    const request = { ...this.#kind, name, body: patch, fieldManager };
    const value: unknown = await clusterCall(this.#subject(name), () =>
      namespace === undefined
        ? this.#api.patchClusterCustomObject(request, mergePatch)
        : this.#api.patchNamespacedCustomObject({ ...request, namespace }, mergePatch),
    );
    return parseObject(this.#plural, value);
  }

  async patchAsRead(
    key: ObjectKey,
    uid: string,
    patchOf: (object: ResourceOf[P]) => { readonly metadata?: object; readonly spec?: object } | undefined,
  ): Promise<ResourceOf[P] | undefined> {
    for (let round = 1; ; round += 1) {
      const object = await this.get(key);
      if (object === undefined || object.metadata.uid !== uid) return undefined;
      const patch = patchOf(object);
      if (patch === undefined) return object;
      const { resourceVersion } = object.metadata;
      try {
        return await this.patch(key, { ...patch, metadata: { ...patch.metadata, uid, resourceVersion } });
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'Conflict' || round === maxTries) throw error;
        await sleep(Math.random() * 50 * round);
      }
    }
  }

  /** The uid in the applied object makes the server refuse where the name belongs to another object by now. */
  async applyStatus(
    { namespace, name }: ObjectKey,
    uid: string,
    status: object,
    resourceVersion?: string,
  ): Promise<void> {
    if (Buffer.byteLength(JSON.stringify(status)) > maxStatusBytes) {
      throw new Failure('Internal', {
        side: 'cluster',
        subject: name,
        detail: 'the status is larger than 512 KiB',
      });
    }
    const body = {
      apiVersion: `${apiGroup}/${apiVersion}`,
      kind: kinds[this.#plural].kind,
      metadata: {
        name,
        uid,
        ...(namespace === undefined ? {} : { namespace }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      status,
    };
    const request = { ...this.#kind, name, body, fieldManager, force: true };
    try {
      await clusterCall(this.#subject(name), () =>
        namespace === undefined
          ? this.#api.patchClusterCustomObjectStatus(request, applyPatch)
          : this.#api.patchNamespacedCustomObjectStatus({ ...request, namespace }, applyPatch),
      );
    } catch (error) {
      if (!(error instanceof Failure) || (error.code !== 'NotFound' && error.code !== 'Conflict'))
        throw error;
      throw new Failure('Superseded', {
        side: 'cluster',
        subject: name,
        detail: 'the object is gone, or was changed meanwhile',
        cause: error,
      });
    }
  }

  updateStatus(key: ObjectKey, uid: string, change: StatusChange<P>): Promise<boolean> {
    return this.#changeStatus(key, uid, change);
  }

  changeStatus(key: ObjectKey, change: StatusChange<P>): Promise<boolean> {
    return this.#changeStatus(key, undefined, change);
  }

  /** Without a uid the first object that is read is the one that is meant, in every later try too. */
  async #changeStatus(key: ObjectKey, uid: string | undefined, change: StatusChange<P>): Promise<boolean> {
    let owner = uid;
    for (let round = 1; ; round += 1) {
      const object = await this.get(key);
      owner ??= object?.metadata.uid;
      if (object === undefined || owner === undefined || object.metadata.uid !== owner) return false;
      const status = change(object);
      if (status === undefined) return true;
      try {
        await this.applyStatus(key, owner, status, object.metadata.resourceVersion);
        return true;
      } catch (error) {
        const isTaken = error instanceof Failure && error.code === 'Superseded';
        if (!isTaken || round === maxTries) throw error;
        await sleep(Math.random() * 50 * round);
      }
    }
  }

  async delete({ namespace, name }: ObjectKey, uid?: string): Promise<void> {
    const request = {
      ...this.#kind,
      name,
      ...(uid === undefined ? {} : { body: { preconditions: { uid } } }),
    };
    await clusterCallIfPresent(this.#subject(name), () =>
      namespace === undefined
        ? this.#api.deleteClusterCustomObject(request)
        : this.#api.deleteNamespacedCustomObject({ ...request, namespace }),
    );
  }

  #subject(name: string): string {
    return `${this.#plural}/${name}`;
  }
}
