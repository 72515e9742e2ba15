import { Failure } from '../../domain/failure.ts';
import { registrySecretWish } from '../../domain/reconcile/registry-secret.ts';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import type { Credential } from '../../infra/copy/engine.ts';
import type { StraySecret } from '../../infra/kubernetes/cluster.ts';
import type { CredentialSecret } from '../../infra/kubernetes/credential-watch.ts';
import type { ReconcileDependencies } from './dependencies.ts';

/** Milliseconds within which the API has stored a new object's Secret; creation times are whole seconds. */
const creationMs = 5_000;
/** Milliseconds that a credential waits for its RegistrySecret, which the webhook sees before the API server lets it in. */
const strayMs = 600_000;

/**
 * Moves a password that came in with `kubectl apply` into the RegistrySecret's Secret and hides it, and has the
 * connection verified when that is due. The Secret is written first: a crash in between repeats the step, and loses
 * nothing.
 */
export class RegistrySecretReconciler {
  readonly #deps: ReconcileDependencies;
  readonly #gone = new Map<string, RegistrySecret>();
  /** Names that are to be verified whether they are due or not. */
  readonly #toVerify = new Set<string>();
  /** Uids whose Secret is known to go with them; what a restart forgets is looked at again. */
  readonly #adopted = new Set<string>();

  constructor(deps: ReconcileDependencies) {
    this.#deps = deps;
  }

  /** Remembers that an object went, so that the next {@link reconcile} of its name deletes its Secret. */
  gone(secret: RegistrySecret): void {
    this.#gone.set(`${secret.metadata.namespace}/${secret.metadata.name}`, secret);
  }

  /** The Secret of a RegistrySecret went: what that means is shown at once. */
  credentialGone(ref: ObjectRef): void {
    this.#toVerify.add(`${ref.namespace}/${ref.name}`);
  }

  /** Looks at every Secret of ours: those go whose RegistrySecret went, or never came. */
  sweep(): readonly Promise<void>[] {
    const { secrets } = this.#deps;
    const owned = (secrets?.list() ?? []).map((secret) => this.sweepSecret(secret));
    return [...owned, ...(secrets?.strays() ?? []).map((stray) => this.sweepStray(stray))];
  }

  /**
   * Deletes a Secret whose RegistrySecret went while nobody watched. Kubernetes collects it too, but later, and not where
   * no controller-manager runs.
   */
  async sweepSecret({ owner }: CredentialSecret): Promise<void> {
    const { namespace, name, uid } = owner;
    if (this.#deps.caches.cache('registrysecrets').get({ namespace, name })?.metadata.uid === uid) return;
    const found = await this.#deps.clients.resource('registrysecrets').get({ namespace, name });
    if (found?.metadata.uid !== uid) await this.#deps.credentials.remove({ metadata: owner });
  }

  /**
   * Deletes a Secret that the webhook stored for a RegistrySecret that was then refused. One that comes after all is not
   * robbed of it: its credential is stored anew first, and then the Secret is no longer the one that was seen.
   */
  async sweepStray(stray: StraySecret): Promise<void> {
    const { ref, storedMs } = stray;
    if ((this.#deps.now ?? Date.now)() - storedMs < strayMs) return;
    const { caches, clients, credentials } = this.#deps;
    if (caches.cache('registrysecrets').get(ref) !== undefined) return;
    if ((await clients.resource('registrysecrets').get(ref)) !== undefined) return;
    await credentials.removeStray(stray);
  }

  async reconcile(ref: ObjectRef): Promise<void> {
    await this.#clear(`${ref.namespace}/${ref.name}`);
    const secret = this.#deps.caches.cache('registrysecrets').get(ref);
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return;
    const now = (this.#deps.now ?? Date.now)();
    const wish = registrySecretWish(secret, now);
    if (wish.credential !== undefined) await this.#keep(secret, ref, wish.credential);
    await this.#adopt(secret);
    if (wish.patch !== undefined && !(await this.#write(ref, wish.patch))) return;
    const key = `${ref.namespace}/${ref.name}`;
    if (!this.#toVerify.has(key) && !wish.verify) return;
    await this.#awaitCredential(secret, now);
    await this.#deps.workflows.startVerify(ref);
    this.#toVerify.delete(key);
  }

  /** False where the object was changed meanwhile: the watch brings the newer one, and with it the next look. */
  async #write(ref: ObjectRef, patch: object): Promise<boolean> {
    try {
      await this.#deps.clients.resource('registrysecrets').patch(ref, patch);
      return true;
    } catch (error) {
      if (error instanceof Failure && error.code === 'Conflict') return false;
      throw error;
    }
  }

  /**
   * The API stores an object a moment before its Secret. Throws `SecretNotFound` in that moment, so that this is tried
   * again; where the Secret stays away, the verification is what tells the user.
   */
  async #awaitCredential(secret: RegistrySecret, now: number): Promise<void> {
    const isNew = now - Date.parse(secret.metadata.creationTimestamp ?? '') < creationMs;
    if (!isNew || (await this.#deps.credentials.owned(secret)) !== undefined) return;
    throw new Failure('SecretNotFound', { side: 'cluster', subject: secret.metadata.name });
  }

  /** A password that the webhook took was stored before its object had a uid to be its owner. */
  async #adopt(secret: RegistrySecret): Promise<void> {
    const uid = secret.metadata.uid ?? '';
    if (this.#adopted.has(uid)) return;
    await this.#deps.credentials.adopt(secret);
    this.#adopted.add(uid);
  }

  /** `kubectl apply` of the same file brings the same password again; another one is not taken, and its user is told. */
  async #keep(secret: RegistrySecret, ref: ObjectRef, credential: Credential): Promise<void> {
    const stored = await this.#deps.credentials.owned(secret);
    if (stored?.password === credential.password) return;
    if (stored === undefined) {
      await this.#deps.credentials.store(secret, credential);
      return;
    }
    await this.#deps.events.record(
      { kind: 'RegistrySecret', ref, uid: secret.metadata.uid ?? '' },
      {
        type: 'Warning',
        action: 'ChangeCredential',
        message:
          'A credential cannot be edited in place; the stored one is kept. Delete the RegistrySecret and create it anew. 凭据不可修改，请删除后重新创建。',
      },
    );
  }

  /** Kubernetes collects what is owned by something gone, but later, and not where no controller-manager runs. */
  async #clear(key: string): Promise<void> {
    const gone = this.#gone.get(key);
    if (gone === undefined) return;
    await this.#deps.credentials.remove(gone);
    if (this.#gone.get(key) === gone) this.#gone.delete(key);
  }
}
