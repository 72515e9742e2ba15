import type { ObjectRef } from '../resources/meta.ts';
import type { Repository } from '../resources/repository.ts';

/** The RegistrySecret that a Repository names. */
export function registryOf({ metadata, spec: { registryRef } }: Repository): ObjectRef {
  return { namespace: registryRef.namespace ?? metadata.namespace ?? '', name: registryRef.name };
}

/** The Repositories that use a RegistrySecret, as `namespace/name`, in order. */
export function usersOf(secret: ObjectRef, repositories: readonly Repository[]): readonly string[] {
  return repositories
    .filter((repository) => {
      const { namespace, name } = registryOf(repository);
      return namespace === secret.namespace && name === secret.name;
    })
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)
    .sort();
}
