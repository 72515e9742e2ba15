import { Failure } from '../failure.ts';
import { fromBase64, fromHex, sameBytes } from '../trust/bytes.ts';
import { parsePublicKeyPem } from '../trust/public-key.ts';

/** A public key that images are signed with, as DER SubjectPublicKeyInfo. */
export interface SigningKey {
  readonly algorithm: 'ecdsa-p256' | 'ed25519';
  readonly der: Uint8Array;
}

/** Most keys of one Repository: each costs a verification per signature. */
export const maxSigningKeys = 8;

/** DER of a P-256 SubjectPublicKeyInfo up to the uncompressed point's 64 bytes (RFC 5480, section 2). */
const p256Prefix = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004') ?? new Uint8Array();

/**
 * Parses one to {@link maxSigningKeys} PEM `PUBLIC KEY` blocks and nothing besides. Throws `RootInvalid` for anything that is
 * no ECDSA P-256 or ed25519 public key, `WeakKey` for a weak one; the text is never quoted, as it may be a private key.
 */
export function parseSigningKeys(pem: string): readonly SigningKey[] {
  const blocks = pem.trim().split(/(?<=-----END PUBLIC KEY-----)\s+(?=-----BEGIN)/);
  if (blocks.length > maxSigningKeys) throw invalid(`more than ${maxSigningKeys} public keys`);
  return blocks.map(parseKey);
}

function parseKey(block: string): SigningKey {
  const match = /^-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]{1,200})-----END PUBLIC KEY-----$/.exec(
    block,
  );
  const der = fromBase64((match?.[1] ?? '').replaceAll(/\s/g, ''));
  if (der?.length === 91 && sameBytes(der.subarray(0, p256Prefix.length), p256Prefix)) {
    return { algorithm: 'ecdsa-p256', der };
  }
  if (der?.length !== 44) throw invalid('expected ECDSA P-256 or ed25519 public keys in PEM');
  parsePublicKeyPem(block);
  return { algorithm: 'ed25519', der };
}

const invalid = (detail: string): Failure => new Failure('RootInvalid', { detail });
