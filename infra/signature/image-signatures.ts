import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { parseManifest } from '../../domain/image/manifest.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { SignedClaim } from '../../domain/signature/judge-signatures.ts';
import {
  isSigstoreBundle,
  maxSigstoreBundleBytes,
  sigstoreClaim,
} from '../../domain/signature/sigstore-bundle.ts';
import {
  maxPayloadBytes,
  signatureAnnotation,
  simpleSigningClaim,
  simpleSigningMediaType,
} from '../../domain/signature/simple-signing.ts';
import { collectBlob } from '../copy/collect-blob.ts';
import type { Attachment, ContentSource } from '../copy/content.ts';

/** Attachments, and layers of one, that are looked at: whoever may push there can add any number. */
const maxLooked = 100;

/** What makes no signature out of bytes that claim to be one. */
const unusable: SignedClaim = {
  message: new Uint8Array(),
  signatures: [],
  digests: [],
  annotations: {},
};

/**
 * Everything beside an image that claims to be its signature: by cosign's tag, and by referrers. One that is malformed counts
 * as a claim that no key made, so that it hides no good one; a registry that cannot be asked is thrown.
 */
export async function readSignatures(
  source: ContentSource,
  digest: Digest,
  signal?: AbortSignal,
): Promise<readonly SignedClaim[]> {
  const attachments = await source.referrers(digest, signal);
  const claims: SignedClaim[] = [];
  for (const attachment of attachments.slice(0, maxLooked)) {
    if (claims.length < maxLooked) claims.push(...(await claimsOf(source, attachment, signal)));
  }
  return claims;
}

async function claimsOf(
  source: ContentSource,
  attachment: Attachment,
  signal: AbortSignal | undefined,
): Promise<readonly SignedClaim[]> {
  const claims: SignedClaim[] = [];
  try {
    const { bytes, descriptor } = await source.readManifest(attachment.digest, signal);
    const { layers } = parseManifest({ bytes, contentType: descriptor.mediaType });
    for (const layer of layers.slice(0, maxLooked)) {
      const claim = await claimOf(source, layer, signal);
      if (claim !== undefined) claims.push(claim);
    }
  } catch (error) {
    if (!(error instanceof Failure) || error.retryable || error.code === 'Cancelled') throw error;
    claims.push(unusable);
  }
  return claims;
}

async function claimOf(
  source: ContentSource,
  layer: Descriptor,
  signal: AbortSignal | undefined,
): Promise<SignedClaim | undefined> {
  const simple = layer.mediaType === simpleSigningMediaType;
  if (!simple && !isSigstoreBundle(layer.mediaType)) return undefined;
  if (layer.size > (simple ? maxPayloadBytes : maxSigstoreBundleBytes)) return unusable;
  const bytes = await collectBlob(source, layer, signal);
  return simple ? simpleSigningClaim(bytes, layer.annotations?.[signatureAnnotation]) : sigstoreClaim(bytes);
}
