import { Failure } from '../failure.ts';
import { concatBytes, fromBase64, fromHex, sameBytes, toBase64, toHex } from './bytes.ts';

declare const brand: unique symbol;

/** An ed25519 public key as 64 hex characters; also its own key id. Only the parsers here make one, and none is weak. */
export type PublicKey = string & { readonly [brand]: 'PublicKey' };

/** DER of an ed25519 SubjectPublicKeyInfo up to the key's 32 bytes (RFC 8410, section 4). */
const spkiPrefix = fromHex('302a300506032b6570032100') ?? new Uint8Array();

/** 2^255 - 19, the field's prime. */
const prime = (1n << 255n) - 19n;

/** A y coordinate of a point of order 8; its negative is the other (the rest of small order have y = 0, 1 and -1). */
const orderEight = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

const smallOrder: ReadonlySet<bigint> = new Set([0n, 1n, prime - 1n, orderEight, prime - orderEight]);

/**
 * Parses 64 hex characters. Throws `WeakKey` for the 14 encodings of small-order points, whose signatures some
 * runtimes accept for any message, and for every other encoding that is not canonical; `RootInvalid` for what is not a key.
 */
export function parsePublicKey(text: string): PublicKey {
  const bytes = fromHex(text);
  if (bytes?.length !== 32) throw new Failure('RootInvalid', { detail: 'a public key is 64 hex characters' });
  if (isWeak(bytes)) throw new Failure('WeakKey', { subject: text });
  return text as PublicKey;
}

function isWeak(bytes: Uint8Array): boolean {
  const littleEndian = bytes.toReversed();
  const y = BigInt(`0x${toHex(littleEndian)}`) & ((1n << 255n) - 1n);
  return y >= prime || smallOrder.has(y);
}

/** Parses a PEM `PUBLIC KEY` block that holds an ed25519 key. Throws like {@link parsePublicKey}. */
export function parsePublicKeyPem(pem: string): PublicKey {
  const match = /^-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]{1,200})-----END PUBLIC KEY-----\s*$/.exec(
    pem.trim(),
  );
  const der = fromBase64((match?.[1] ?? '').replaceAll(/\s/g, ''));
  if (der?.length !== 44 || !sameBytes(der.subarray(0, 12), spkiPrefix)) {
    throw new Failure('RootInvalid', { detail: 'not an ed25519 public key in PEM' });
  }
  return parsePublicKey(toHex(der.subarray(12)));
}

/** The key as DER SubjectPublicKeyInfo, the form that crypto libraries read. */
export function publicKeyDer(key: PublicKey): Uint8Array {
  return concatBytes(spkiPrefix, fromHex(key) ?? new Uint8Array());
}

/** The key as a PEM block. */
export function publicKeyPem(key: PublicKey): string {
  return `-----BEGIN PUBLIC KEY-----\n${toBase64(publicKeyDer(key))}\n-----END PUBLIC KEY-----\n`;
}
