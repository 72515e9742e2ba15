import {
  CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
  type V1OwnerReference,
  type V1Secret,
} from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import { parseRegistryDomain, registryHost } from '../../domain/names/registry-domain.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import {
  annotationPrefix,
  apiGroup,
  apiVersion,
  systemNamespace,
  type ObjectRef,
} from '../../domain/resources/meta.ts';
import {
  mayUse,
  type RegistryAccessSpec,
  type RegistrySecret,
} from '../../domain/resources/registry-secret.ts';
import type { Credential, RegistryAccess } from '../copy/engine.ts';
import { clusterCall, clusterCallIfPresent } from './cluster-call.ts';
import type { CredentialStore, ResourceClients } from './cluster.ts';
import { fieldManager } from './resource-client.ts';

const mergePatch = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
const applyPatch = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

const secretSuffix = '-registry-credential';

/** Name of the Secret that holds a RegistrySecret's credential. */
export const secretNameOf = (registrySecret: string): string => `${registrySecret}${secretSuffix}`;

/** Name of the RegistrySecret that a Secret of this name would belong to. Undefined for other names. */
export const registrySecretOf = (secret: string): string | undefined =>
  secret.endsWith(secretSuffix) ? secret.slice(0, -secretSuffix.length) : undefined;

/**
 * When a credential was put into a Secret (RFC 3339 UTC): what says that it was us, and what makes each store a change,
 * so that one who deletes what he saw before is told.
 */
export const storedAnnotation = `${annotationPrefix}credential-stored`;

/** The credential store over Secrets: the only code that reads or writes a password. */
export function createCredentialStore(config: KubeConfig, clients: ResourceClients): CredentialStore {
  const core = config.makeApiClient(CoreV1Api);
  const readSecret = async (namespace: string, name: string): Promise<V1Secret> => {
    const found = await clusterCallIfPresent(`secrets/${name}`, () =>
      core.readNamespacedSecret({ namespace, name }),
    );
    if (found === undefined) {
      throw new Failure('SecretNotFound', { side: 'cluster', subject: `${namespace}/${name}` });
    }
    return found;
  };
  return {
    store: async (owner, credential) => {
      const namespace = owner.metadata.namespace ?? '';
      const body = credentialSecret(owner, credential);
      await clusterCall(`secrets/${body.metadata.name}`, () =>
        core.patchNamespacedSecret(
          { namespace, name: body.metadata.name, body, fieldManager, force: true },
          applyPatch,
        ),
      );
    },
    owned: async (owner) => {
      const secret = await ownedSecret(core, owner);
      return secret === undefined ? undefined : parseCredential(secret);
    },
    remove: async (owner) => {
      const { uid, resourceVersion } = (await ownedSecret(core, owner))?.metadata ?? {};
      if (uid === undefined || resourceVersion === undefined) return;
      const { namespace = '', name } = owner.metadata;
      const body = { preconditions: { uid, resourceVersion } };
      await clusterCallIfPresent(`secrets/${secretNameOf(name)}`, () =>
        core.deleteNamespacedSecret({ namespace, name: secretNameOf(name), body }),
      );
    },
    removeStray: async ({ ref, uid, resourceVersion }) => {
      const name = secretNameOf(ref.name);
      const body = { preconditions: { uid, resourceVersion } };
      await clusterCallIfPresent(`secrets/${name}`, () =>
        core.deleteNamespacedSecret({ namespace: ref.namespace, name, body }),
      );
    },
    adopt: (owner) => adoptSecret(core, owner),
    registryAccess: async (ref, usedFrom) => {
      const found = await clients.resource('registrysecrets').get(ref);
      if (found === undefined || !mayUse(found, usedFrom)) throw refusedOrMissing(ref, found !== undefined);
      const secret = await readSecret(ref.namespace, secretNameOf(ref.name));
      requireDomain(secret, found.spec.domain);
      return access(found.spec.domain, found.spec.provider, found.spec, parseCredential(secret));
    },
    siteAccess: async (site: EdgeSite) => {
      const { registry } = site.spec;
      const name = registry.credentialSecretName;
      const credential =
        name === undefined ? undefined : parseCredential(await readSecret(systemNamespace, name));
      return access(registry.domain, registry.provider ?? 'other', registry, credential);
    },
  };
}

/**
 * The Secret of a RegistrySecret: owned by it, so that it goes with it; with the keys of the contract; and of the type
 * that the kubelet takes as an imagePullSecret.
 */
function credentialSecret(
  owner: RegistrySecret,
  { username, password }: Credential,
): V1Secret & { readonly metadata: { readonly name: string } } {
  const { name, namespace, uid } = owner.metadata;
  const { domain } = owner.spec;
  const host =
    registryHost(parseRegistryDomain(domain)) === 'registry-1.docker.io'
      ? 'https://index.docker.io/v1/'
      : domain;
  const auth = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/dockerconfigjson',
    metadata: {
      name: secretNameOf(name),
      namespace: namespace ?? '',
      labels: { 'app.kubernetes.io/part-of': 'image-management' },
      annotations: { [storedAnnotation]: new Date().toISOString() },
      ...(uid === undefined ? {} : { ownerReferences: [ownerReference(name, uid)] }),
    },
    stringData: {
      domain,
      username,
      password,
      '.dockerconfigjson': JSON.stringify({ auths: { [host]: { username, password, auth } } }),
    },
  };
}

async function ownedSecret(
  core: CoreV1Api,
  { metadata }: Pick<RegistrySecret, 'metadata'>,
): Promise<V1Secret | undefined> {
  const name = secretNameOf(metadata.name);
  const found = await clusterCallIfPresent(`secrets/${name}`, () =>
    core.readNamespacedSecret({ namespace: metadata.namespace ?? '', name }),
  );
  return found?.metadata?.ownerReferences?.some(({ uid }) => uid === metadata.uid) ? found : undefined;
}

/** A Secret left by an earlier RegistrySecret of that name must not be sent to another registry. */
function requireDomain(secret: V1Secret, domain: string): void {
  if (Buffer.from(secret.data?.['domain'] ?? '', 'base64').toString('utf8') !== domain)
    throw unusable(secret, 'its Secret was made for another registry');
}

const ownerReference = (name: string, uid: string): V1OwnerReference => ({
  apiVersion: `${apiGroup}/${apiVersion}`,
  kind: 'RegistrySecret',
  name,
  uid,
});

async function adoptSecret(core: CoreV1Api, owner: RegistrySecret): Promise<void> {
  const { namespace = '', name: ownerName, uid = '' } = owner.metadata;
  const name = secretNameOf(ownerName);
  const found = await clusterCallIfPresent(`secrets/${name}`, () =>
    core.readNamespacedSecret({ namespace, name }),
  );
  if (found === undefined || (found.metadata?.ownerReferences ?? []).length > 0) return;
  const body = { metadata: { ownerReferences: [ownerReference(ownerName, uid)] } };
  await clusterCall(`secrets/${name}`, () =>
    core.patchNamespacedSecret({ namespace, name, body }, mergePatch),
  );
}

/** Reads `username` and `password`. Throws `InvalidCredential` for what no registry can be sent. */
function parseCredential(secret: V1Secret): Credential {
  const read = (key: string): string => {
    const value = Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
    if (value === '') throw unusable(secret, `its Secret has no ${key}`);
    // eslint-disable-next-line no-control-regex -- exactly these cannot be sent
    if (/[\u0000-\u001f\u007f]/.test(value))
      throw unusable(secret, `${key} holds a line break or control character`);
    return value;
  };
  return { username: read('username'), password: read('password') };
}

const unusable = (secret: V1Secret, detail: string): Failure =>
  new Failure('InvalidCredential', { side: 'cluster', subject: secret.metadata?.name ?? '', detail });

function refusedOrMissing(ref: ObjectRef, exists: boolean): Failure {
  const subject = `${ref.namespace}/${ref.name}`;
  if (!exists) return new Failure('RegistrySecretNotFound', { side: 'cluster', subject });
  return new Failure('SecretRefRefused', {
    side: 'cluster',
    subject,
    detail: 'its allowedNamespaces do not list this one',
  });
}

function access(
  domain: string,
  provider: string,
  spec: RegistryAccessSpec,
  credential: Credential | undefined,
): RegistryAccess {
  const {
    insecure,
    caBundle,
    allowPrivate,
    allowedRealms,
    uploadOrigins,
    gcSettleSeconds,
    gcDeletesUntagged,
  } = spec;
  return {
    domain: parseRegistryDomain(domain),
    provider,
    ...(credential === undefined ? {} : { credential }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(allowPrivate === undefined ? {} : { allowPrivate }),
    ...(allowedRealms === undefined ? {} : { allowedRealms }),
    ...(uploadOrigins === undefined ? {} : { uploadOrigins }),
    ...(gcSettleSeconds === undefined ? {} : { gcSettleSeconds }),
    ...(gcDeletesUntagged === undefined ? {} : { gcDeletesUntagged }),
  };
}
