import { parseDuration } from '../duration.ts';
import { Failure } from '../failure.ts';
import { parseDigest } from '../names/digest.ts';
import { parseNamespace, parseObjectName, parseSiteName } from '../names/kubernetes-name.ts';
import { parseRepositoryPath } from '../names/repository-path.ts';
import { parseTag } from '../names/tag.ts';
import type { RegistrySecret } from '../resources/registry-secret.ts';
import type { RepositorySpec, VerificationSpec } from '../resources/repository.ts';
import { parseSigningKeys } from '../signature/signing-key.ts';

/** Checks a Repository's spec that a caller wrote. Throws the code of the first field that is malformed. */
export function checkRepositorySpec(spec: RepositorySpec): void {
  parseRepositoryPath(spec.repository);
  parseTag(spec.tag);
  parseObjectName(spec.registryRef.name);
  if (spec.registryRef.namespace !== undefined) parseNamespace(spec.registryRef.namespace);
  for (const duration of [spec.syncInterval, spec.syncTimeout, spec.retryInterval]) {
    if (duration !== undefined) parseDuration(duration);
  }
  for (const site of spec.sites ?? []) parseSiteName(site);
  if (spec.pinnedDigest !== undefined) parseDigest(spec.pinnedDigest);
  if (spec.verification !== undefined) checkVerification(spec.verification);
}

function checkVerification({ publicKey, publicKeyRef }: VerificationSpec): void {
  if ((publicKey === undefined) === (publicKeyRef === undefined)) {
    const detail = 'verification needs exactly one of publicKey and publicKeyRef';
    throw new Failure('InvalidRequest', { side: 'caller', detail });
  }
  if (publicKey !== undefined) parseSigningKeys(publicKey);
  if (publicKeyRef !== undefined) parseObjectName(publicKeyRef.name);
}

/**
 * Refuses with `SecretRefRefused` where a Repository would use another namespace's RegistrySecret that does not allow it.
 * One that does not exist is refused alike, so that nobody learns what another namespace holds. In its own namespace a
 * RegistrySecret may be created later, as with `kubectl apply`.
 */
export function checkRegistryRef(
  spec: RepositorySpec,
  namespace: string,
  secret: RegistrySecret | undefined,
): void {
  const owner = spec.registryRef.namespace ?? namespace;
  const allowed = secret?.spec.allowedNamespaces ?? [];
  if (owner === namespace || allowed.includes('*') || allowed.includes(namespace)) return;
  throw new Failure('SecretRefRefused', { side: 'caller', subject: `${owner}/${spec.registryRef.name}` });
}
