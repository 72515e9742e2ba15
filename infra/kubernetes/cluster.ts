import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { Plural, ResourceOf } from '../../domain/resources/kinds.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import type { Credential, RegistryAccess } from '../copy/engine.ts';

/** Where an object is: `namespace` is left out for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

/** One kind's objects in the cluster. Failures are of side `cluster`; nothing is retried silently but 409 and 429. */
export interface ResourceClient<P extends Plural> {
  get(key: ObjectKey): Promise<ResourceOf[P] | undefined>;
  list(namespace?: string): Promise<readonly ResourceOf[P][]>;
  create(object: ResourceOf[P]): Promise<ResourceOf[P]>;
  /** JSON merge patch of metadata and spec. */
  patch(key: ObjectKey, patch: object): Promise<ResourceOf[P]>;
  /**
   * The same by what the object with this uid says now, over exactly the version that was read, and again where somebody
   * else wrote in between: a merge patch replaces whole lists. `patchOf` may be asked several times; undefined leaves all
   * as it is. Answers the object as it is then, undefined where it is gone. Throws `Conflict` where others never stop writing.
   */
  patchAsRead(
    key: ObjectKey,
    uid: string,
    patchOf: (object: ResourceOf[P]) => { readonly metadata?: object; readonly spec?: object } | undefined,
  ): Promise<ResourceOf[P] | undefined>;
  /**
   * Replaces the status by server-side apply under our own field manager. Throws `Superseded` where the object with
   * this uid is gone, so that an old run never writes a new object's status.
   */
  applyStatus(
    key: ObjectKey,
    uid: string,
    status: NonNullable<ResourceOf[P]['status']>,
    /** Only over this version of the object, for those who are not its usual writer. Default: over any. */
    resourceVersion?: string,
  ): Promise<void>;
  /**
   * Changes the status of the object with this uid by what it says now, over exactly the version that was read, and again
   * where somebody else wrote in between: no writer loses another's word. `change` may be asked several times; undefined
   * leaves all as it is. False where the object is gone. Throws `Superseded` where others never stop writing.
   */
  updateStatus(
    key: ObjectKey,
    uid: string,
    change: (object: ResourceOf[P]) => NonNullable<ResourceOf[P]['status']> | undefined,
  ): Promise<boolean>;
  /** The same of whatever object has the name. */
  changeStatus(
    key: ObjectKey,
    change: (object: ResourceOf[P]) => NonNullable<ResourceOf[P]['status']> | undefined,
  ): Promise<boolean>;
  delete(key: ObjectKey, uid?: string): Promise<void>;
}

/** An informer's view: complete after start, refreshed by watch and by a full relist every few minutes. */
export interface ResourceCache<P extends Plural> {
  list(namespace?: string): readonly ResourceOf[P][];
  get(key: ObjectKey): ResourceOf[P] | undefined;
  /** Calls back for every object that appears, changes or goes (`gone` true), and once for each that is there already. */
  onChange(listener: (object: ResourceOf[P], gone: boolean) => void): void;
}

/** Access to every kind. */
export interface ResourceClients {
  resource<P extends Plural>(plural: P): ResourceClient<P>;
}

/** A Secret that we wrote for a RegistrySecret and that belongs to none. Never its content. */
export interface StraySecret {
  /** The RegistrySecret that it was written for. */
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: string;
  /** When its credential was last stored, in epoch milliseconds. */
  readonly storedMs: number;
}

/** The only door to credentials. */
export interface CredentialStore {
  /** Puts a credential into the RegistrySecret's own Secret, owned by it where it has a uid by now. Idempotent. */
  store(owner: RegistrySecret, credential: Credential): Promise<void>;
  /** The stored credential, where its Secret belongs to this very object and not to an earlier one of that name. */
  owned(owner: Pick<RegistrySecret, 'metadata'>): Promise<Credential | undefined>;
  /** Deletes the Secret of a RegistrySecret that is gone, where no later object of that name has taken it over. */
  remove(owner: Pick<RegistrySecret, 'metadata'>): Promise<void>;
  /** Deletes a Secret that its RegistrySecret never came for. Throws `Conflict` where it was written again meanwhile. */
  removeStray(stray: StraySecret): Promise<void>;
  /** Makes a Secret that was stored before its RegistrySecret had a uid go with it. Leaves one that has an owner alone. */
  adopt(owner: RegistrySecret): Promise<void>;
  /** The registry and credential of a RegistrySecret. Throws `RegistrySecretNotFound`, `SecretNotFound`, `SecretRefRefused`. */
  registryAccess(ref: ObjectRef, usedFrom: string): Promise<RegistryAccess>;
  /** The registry and credential of a site. */
  siteAccess(site: EdgeSite): Promise<RegistryAccess>;
}

/** An Event about an object, reason `ImageManagement`. */
export interface EventRecorder {
  record(
    about: { readonly kind: string; readonly ref: ObjectKey; readonly uid: string },
    event: {
      readonly type: 'Normal' | 'Warning';
      /** What was done, such as `Sync` or `VerifyConnection`. */
      readonly action: string;
      readonly message: string;
    },
  ): Promise<void>;
}

/** The caller of the API, as the cluster knows it. */
export interface Caller {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** What access is asked for: our kinds, and things of the API that are granted like them but are no objects. */
export type ReviewedResource = Plural | 'auditrecords' | 'payloads';

export interface AccessQuestion {
  readonly verb: string;
  readonly resource: ReviewedResource;
  readonly subresource?: string;
  /** Left out: all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string;
  readonly name?: string;
}

/** Who is calling, and what may they do. Throws `AuthBackendUnavailable` where the cluster cannot tell. */
export interface AccessReviewer {
  /** Undefined where the token is not valid for us. */
  authenticate(token: string): Promise<Caller | undefined>;
  authorize(caller: Caller, question: AccessQuestion): Promise<boolean>;
}
