import { annotationPrefix, type ObjectMeta, type Resource } from '../domain/resources/meta.ts';
import { parseNamespace } from '../domain/names/kubernetes-name.ts';
import { parseNewName } from '../domain/names/new-name.ts';
import type { Plural } from '../domain/resources/kinds.ts';
import { Failure } from '../domain/failure.ts';
import { printable } from '../domain/names/digest.ts';
import { encryptedPassword, type RegistrySecret } from '../domain/resources/registry-secret.ts';

/** Annotations that only this product writes; a caller's values for them are dropped. */
const ownAnnotations: ReadonlySet<string> = new Set(
  ['domain', 'username', 'provider', 'verify-status', 'verify-message', 'verify-timestamp'].map(
    (key) => annotationPrefix + key,
  ),
);

type NewMeta = Pick<ObjectMeta, 'name' | 'namespace' | 'annotations' | 'labels'>;

/**
 * Metadata of an object to create. Drops annotations that a caller may not set: our own, and kubectl's copy of the whole
 * object, which may hold a password. Throws `InvalidName`, or `InvalidRequest` where the body names another namespace
 * than the path.
 */
export function newMeta(
  plural: Plural,
  meta: NewMeta,
  namespace: string | undefined,
  own: Readonly<Record<string, string>>,
): ObjectMeta {
  const name = parseNewName(plural, meta.name);
  if (meta.namespace !== undefined && meta.namespace !== '' && meta.namespace !== namespace) {
    throw new Failure('InvalidRequest', {
      side: 'caller',
      detail: `metadata.namespace: ${printable(meta.namespace)} is not the namespace of the path`,
    });
  }
  const kept = Object.entries(meta.annotations ?? {}).filter(([key]) => isCallers(key));
  const mine = Object.entries(own).map(([key, value]) => [annotationPrefix + key, value]);
  return {
    name,
    ...(namespace === undefined ? {} : { namespace: parseNamespace(namespace) }),
    ...(meta.labels === undefined ? {} : { labels: meta.labels }),
    annotations: Object.fromEntries([...kept, ...mine]),
  };
}

const isCallers = (key: string): boolean =>
  !key.startsWith('kubectl.kubernetes.io/') && !ownAnnotations.has(key);

/** An object as it is answered: the metadata that people read, nothing of the cluster's bookkeeping. */
export function present<R extends Resource>(object: R): R {
  const { name, namespace, uid, generation, resourceVersion, creationTimestamp, deletionTimestamp } =
    object.metadata;
  const { labels, annotations, finalizers } = object.metadata;
  const shown = Object.entries(annotations ?? {}).filter(
    ([key]) => !key.startsWith('kubectl.kubernetes.io/'),
  );
  const fields = { name, namespace, uid, generation, resourceVersion, creationTimestamp, deletionTimestamp };
  const metadata = { ...fields, labels, annotations: Object.fromEntries(shown), finalizers };
  return { ...object, metadata };
}

/** A RegistrySecret as it is answered. Whatever is stored, no password goes out. */
export function presentSecret(secret: RegistrySecret): RegistrySecret {
  const shown = present(secret);
  return { ...shown, spec: { ...shown.spec, password: encryptedPassword } };
}
