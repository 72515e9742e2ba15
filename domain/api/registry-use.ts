import type { ObjectRef } from '../resources/meta.ts';
import type { Repository } from '../resources/repository.ts';

/** The RegistrySecrets that a Repository names: its own first, then the alternatives, which are of the same namespace. */
export function registriesOf(repository: Repository): readonly ObjectRef[] {
  const own = repository.metadata.namespace ?? '';
  const { registryRef, alternativeSources = [] } = repository.spec;
  const namespace = registryRef.namespace ?? own;
  return [
    { namespace, name: registryRef.name },
    ...alternativeSources.map(({ name }) => ({ namespace: own, name })),
  ];
}

/** The Repositories that use a RegistrySecret, as `namespace/name`, in order. */
export function usersOf(secret: ObjectRef, repositories: readonly Repository[]): readonly string[] {
  return repositories
    .filter((repository) =>
      registriesOf(repository).some((ref) => ref.namespace === secret.namespace && ref.name === secret.name),
    )
    .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`)
    .sort();
}
