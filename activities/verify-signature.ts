import type { Descriptor } from '../domain/image/descriptor.ts';
import type { Digest } from '../domain/names/digest.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { VerificationSpec } from '../domain/resources/repository.ts';
import type { SignatureRule } from '../domain/signature/judge-signatures.ts';
import { parseSigningKeys } from '../domain/signature/signing-key.ts';
import type { SyncPlan } from '../domain/sync/plan.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { PublicKeyStore } from '../infra/kubernetes/public-keys.ts';
import type { ImageVerifier } from '../infra/signature/image-verifier.ts';
import type { SyncDependencies } from './dependencies.ts';
import { sourceEndpoint, targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';

/** What a look for signatures is handed. */
export interface SignatureDependencies {
  readonly signatures: ImageVerifier;
  readonly publicKeys: PublicKeyStore;
}

/** One image whose signature is asked for. */
export interface SignatureOrder {
  readonly plan: SyncPlan;
  readonly root: Descriptor;
  /** Which try this is. Default: 1. */
  readonly tries?: number;
}

/** Proves that the very digest that is about to be copied is signed. Throws `SignatureRequired` or `SignatureInvalid`; changes nothing. */
export function verifySignature(
  deps: SyncDependencies & SignatureDependencies,
  { plan, root }: SignatureOrder,
): Promise<void> {
  return withHeartbeat(async (signal) => {
    if (plan.verification === undefined) return;
    const source = await sourceEndpoint(deps, { ...plan, usedFrom: plan.claim.ref.namespace });
    const sites = await Promise.all(
      plan.sites.map(({ site }) => targetEndpoint(deps, site, plan.repository).catch(() => undefined)),
    );
    const places = [source, ...sites.filter((site) => site !== undefined)];
    await requireSignature(deps, {
      ref: plan.claim.ref,
      verification: plan.verification,
      places,
      digest: root.digest,
      signal,
    });
  });
}

/** A digest and what its signature has to be. */
export interface SignatureQuestion {
  readonly ref: ObjectRef;
  /** Default: nothing is asked, and everything is right. */
  readonly verification: VerificationSpec | undefined;
  /** Where signatures may lie, the likeliest first. */
  readonly places: readonly RepositoryEndpoint[];
  readonly digest: Digest;
  readonly signal: AbortSignal;
}

/** The same for whoever else brings images to sites: bundles and rollbacks. */
export async function requireSignature(
  deps: SignatureDependencies,
  { ref, verification, places, digest, signal }: SignatureQuestion,
): Promise<void> {
  if (verification === undefined) return;
  await deps.signatures.verify(places, digest, await ruleOf(deps, ref.namespace, verification), signal);
}

async function ruleOf(
  { publicKeys }: SignatureDependencies,
  namespace: string,
  { publicKey, publicKeyRef, annotations = {} }: VerificationSpec,
): Promise<SignatureRule> {
  const pem = publicKeyRef === undefined ? (publicKey ?? '') : await publicKeys.read(namespace, publicKeyRef);
  return { keys: parseSigningKeys(pem), annotations };
}
