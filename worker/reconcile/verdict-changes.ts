import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';

/**
 * Tells whether what a RegistrySecret means for the Repositories that use it has changed: it is verified every two
 * minutes, and ten thousand Repositories need not be looked at each time.
 */
export class VerdictChanges {
  readonly #known = new Map<string, string>();

  isNews({ metadata, spec, status }: RegistrySecret, gone: boolean): boolean {
    const key = `${metadata.namespace}/${metadata.name}`;
    const verified = status?.conditions?.find(({ type }) => type === 'Verified');
    const verdict = gone
      ? 'gone'
      : JSON.stringify([metadata.uid, verified?.status, verified?.reason, spec.allowedNamespaces]);
    const isNews = this.#known.get(key) !== verdict;
    if (gone) this.#known.delete(key);
    else this.#known.set(key, verdict);
    return isNews;
  }
}
