import { Failure } from '../failure.ts';
import { printable } from '../names/digest.ts';
import { parseNamespace } from '../names/kubernetes-name.ts';
import { parseRegistryDomain } from '../names/registry-domain.ts';
import { encryptedPassword, type RegistrySecretSpec } from '../resources/registry-secret.ts';

/** A RegistrySecret's spec as it may be stored, and the password that goes to the Secret instead. */
export interface SplitCredential {
  readonly spec: RegistrySecretSpec;
  readonly credential: { readonly username: string; readonly password: string };
}

/**
 * Checks a spec that a caller wrote and takes the password out of it. Throws `InvalidDomain` with what is wrong,
 * `InvalidName` for a malformed namespace, or `InvalidRequest`.
 */
export function splitCredential(spec: RegistrySecretSpec, providers: readonly string[]): SplitCredential {
  const domain = parseRegistryDomain(spec.domain);
  if (!providers.includes(spec.provider)) {
    refuse(`spec.provider: expected one of ${providers.join(', ')}, not ${printable(spec.provider)}`);
  }
  if (spec.password === encryptedPassword) refuse('spec.password: write the password itself');
  for (const namespace of spec.allowedNamespaces ?? []) if (namespace !== '*') parseNamespace(namespace);
  return {
    spec: { ...spec, domain, password: encryptedPassword },
    credential: { username: spec.username, password: spec.password },
  };
}

function refuse(detail: string): never {
  throw new Failure('InvalidRequest', { side: 'caller', detail });
}
