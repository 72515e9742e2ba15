import { randomUUID } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import type { Plural, ResourceOf } from '../../domain/resources/kinds.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import type { Credential } from '../../infra/copy/engine.ts';
import type {
  CredentialStore,
  EventRecorder,
  ObjectKey,
  ResourceCache,
  ResourceClient,
  ResourceClients,
} from '../../infra/kubernetes/cluster.ts';

type Stored = ResourceOf[Plural];
type Listener = (object: never, gone: boolean) => void;

/** What goes wrong on purpose, by the name of the call. */
export interface Misbehaviour {
  storeCredential?: Failure;
  create?: Failure;
  record?: Failure;
  awaitVerify?: Failure;
}

/** A cluster in memory, for the faults that a real one shows too seldom. What is right is tested against a real one. */
export class MemoryCluster implements ResourceClients {
  readonly fail: Misbehaviour = {};
  readonly events: string[] = [];
  readonly credentialsStored = new Map<string, Credential>();
  readonly #objects = new Map<Plural, Map<string, Stored>>();
  readonly #listeners = new Map<Plural, Listener[]>();

  resource<P extends Plural>(plural: P): ResourceClient<P> {
    return {
      get: async (key) => this.#get(plural, key),
      list: async (namespace) => this.#list(plural, namespace),
      create: async (object) => this.#create(plural, object),
      patch: async (key, patch) => this.#patch(plural, key, patch),
      patchAsRead: async (key, uid, patchOf) => {
        const found = this.#get(plural, key);
        if (found === undefined || found.metadata.uid !== uid) return undefined;
        const patch = patchOf(found);
        return patch === undefined ? found : this.#patch(plural, key, patch);
      },
      applyStatus: async (key, _uid, status) => void this.#patch(plural, key, { status }),
      updateStatus: async (key, uid, change) => {
        const found = this.#get(plural, key);
        if (found === undefined || found.metadata.uid !== uid) return false;
        const status = change(found);
        if (status !== undefined) this.#put(plural, keyOf(key), { ...found, status });
        return true;
      },
      changeStatus: async (key, change) => {
        const found = this.#get(plural, key);
        const status = found === undefined ? undefined : change(found);
        if (found !== undefined && status !== undefined) this.#put(plural, keyOf(key), { ...found, status });
        return found !== undefined;
      },
      delete: async (key) => this.#delete(plural, key),
    };
  }

  cache<P extends Plural>(plural: P): ResourceCache<P> {
    return {
      list: (namespace) => this.#list(plural, namespace),
      get: (key) => this.#get(plural, key),
      onChange: (listener) => {
        this.#listeners.set(plural, [...(this.#listeners.get(plural) ?? []), listener]);
        for (const object of this.#list(plural)) listener(object, false);
      },
    };
  }

  /** The only door to credentials, as the API sees it. */
  get credentials(): CredentialStore {
    const unused = () => Promise.reject(new Failure('SecretNotFound'));
    return {
      store: async (owner: RegistrySecret, credential) => {
        if (this.fail.storeCredential !== undefined) throw this.fail.storeCredential;
        this.credentialsStored.set(`${owner.metadata.namespace}/${owner.metadata.name}`, credential);
      },
      removeStray: async ({ ref }) => void this.credentialsStored.delete(`${ref.namespace}/${ref.name}`),
      adopt: async () => {},
      owned: async ({ metadata }) => this.credentialsStored.get(`${metadata.namespace}/${metadata.name}`),
      remove: async ({ metadata }) =>
        void this.credentialsStored.delete(`${metadata.namespace}/${metadata.name}`),
      registryAccess: unused,
      siteAccess: unused,
    };
  }

  get recorder(): EventRecorder {
    return {
      record: async (about, event) => {
        if (this.fail.record !== undefined) throw this.fail.record;
        this.events.push(`${event.type} ${event.action} ${about.kind}/${about.ref.name}: ${event.message}`);
      },
    };
  }

  #of(plural: Plural): Map<string, Stored> {
    const found = this.#objects.get(plural) ?? new Map<string, Stored>();
    this.#objects.set(plural, found);
    return found;
  }

  #get<P extends Plural>(plural: P, key: ObjectKey): ResourceOf[P] | undefined {
    return this.#of(plural).get(keyOf(key)) as ResourceOf[P] | undefined;
  }

  #list<P extends Plural>(plural: P, namespace?: string): readonly ResourceOf[P][] {
    const all = [...this.#of(plural).values()] as ResourceOf[P][];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  #create<P extends Plural>(plural: P, object: ResourceOf[P]): ResourceOf[P] {
    if (this.fail.create !== undefined) throw this.fail.create;
    const key = keyOf(object.metadata);
    if (this.#of(plural).has(key)) throw new Failure('AlreadyExists', { subject: key });
    const metadata = { ...object.metadata, uid: randomUUID(), creationTimestamp: '2026-01-01T00:00:00Z' };
    return this.#put(plural, key, { ...object, metadata });
  }

  #patch<P extends Plural>(plural: P, key: ObjectKey, patch: object): ResourceOf[P] {
    const before = this.#get(plural, key);
    if (before === undefined) throw new Failure('NotFound', { subject: keyOf(key) });
    return this.#put(plural, keyOf(key), merge(before, patch) as ResourceOf[P]);
  }

  #delete(plural: Plural, key: ObjectKey): void {
    const before = this.#get(plural, key);
    if (before === undefined) throw new Failure('NotFound', { subject: keyOf(key) });
    this.#of(plural).delete(keyOf(key));
    for (const listener of this.#listeners.get(plural) ?? []) listener(before as never, true);
  }

  #put<P extends Plural>(plural: P, key: string, object: ResourceOf[P]): ResourceOf[P] {
    this.#of(plural).set(key, object);
    for (const listener of this.#listeners.get(plural) ?? []) listener(object as never, false);
    return object;
  }
}

const keyOf = (key: { readonly namespace?: string; readonly name: string }): string =>
  `${key.namespace ?? ''}/${key.name}`;

/** JSON merge patch (RFC 7396). */
function merge(before: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof before === 'object' && before !== null ? { ...before } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
