import { Failure } from '../failure.ts';
import { concatBytes, fromBase64, sameBytes, strictUtf8, toBase64, utf8 } from './bytes.ts';
import type { PublicKey } from './public-key.ts';

/** Most bytes that an envelope may have: it is held in memory before anything about it is known. */
export const maxEnvelopeBytes = 4 * 1024 * 1024;
/** Most signatures that an envelope may carry: each costs a verification per key. */
export const maxSignatures = 16;

/** A DSSE envelope (github.com/secure-systems-lab/dsse, envelope.md) with its fields decoded and nothing verified. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly { readonly keyid: string; readonly sig: Uint8Array }[];
}

/** Ed25519 as the runtime offers it. Handed in, as this room has no library. */
export type VerifySignature = (key: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean;

/** Who may sign and how many of them have to. */
export interface SignerSet {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

/** DSSE's pre-authentication encoding, the bytes that are signed. Lengths count bytes, not characters. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return concatBytes(utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload);
}

/** The one spelling of an envelope, final newline included. */
export function printEnvelope(envelope: Envelope): Uint8Array {
  const fields = {
    payloadType: envelope.payloadType,
    payload: toBase64(envelope.payload),
    signatures: envelope.signatures.map(({ keyid, sig }) => ({ keyid, sig: toBase64(sig) })),
  };
  return utf8(`${JSON.stringify(fields)}\n`);
}

/**
 * Decodes an envelope within its caps, in the spelling of {@link printEnvelope} only, so that no bit of the file is
 * free. Throws `BundleTooLarge`, `TooManySignatures`, or `SignatureInvalid` for what is no envelope.
 */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > maxEnvelopeBytes) {
    throw new Failure('BundleTooLarge', { detail: 'a signed manifest has at most 4 MiB' });
  }
  const fields = decodeFields(strictUtf8(bytes) ?? '');
  if (fields.signatures.length > maxSignatures) throw new Failure('TooManySignatures');
  const envelope = decodeEnvelope(fields);
  if (envelope === undefined || !sameBytes(printEnvelope(envelope), bytes)) refuse();
  return envelope;
}

interface EnvelopeFields {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly unknown[];
}

function decodeFields(text: string): EnvelopeFields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse();
  }
  if (typeof value !== 'object' || value === null) refuse();
  const { payloadType, payload, signatures } = value as Partial<EnvelopeFields>;
  if (typeof payloadType !== 'string' || typeof payload !== 'string' || !Array.isArray(signatures)) refuse();
  return { payloadType, payload, signatures };
}

function decodeEnvelope(fields: EnvelopeFields): Envelope | undefined {
  const payload = fromBase64(fields.payload);
  const signatures = fields.signatures.map(decodeSignature);
  if (payload === undefined || !signatures.every((signature) => signature !== undefined)) return undefined;
  return { payloadType: fields.payloadType, payload, signatures };
}

function decodeSignature(value: unknown): Envelope['signatures'][number] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { keyid, sig } = value as { readonly keyid?: unknown; readonly sig?: unknown };
  if (typeof keyid !== 'string' || typeof sig !== 'string') return undefined;
  const bytes = fromBase64(sig);
  return bytes?.length === 64 ? { keyid, sig: bytes } : undefined;
}

function refuse(): never {
  throw new Failure('SignatureInvalid', { detail: 'not an envelope in its canonical form' });
}

/**
 * The keys of the set that signed the envelope, each once. A signature counts only under the key that it names: a key id
 * is a claim that must hold, so that one key cannot sign twice under two names.
 */
export function signersOf(
  envelope: Envelope,
  keys: readonly PublicKey[],
  verify: VerifySignature,
): PublicKey[] {
  const message = preAuthEncoding(envelope.payloadType, envelope.payload);
  return [...new Set(keys)].filter((key) =>
    envelope.signatures.some(({ keyid, sig }) => keyid === key && verify(key, message, sig)),
  );
}

/** Throws `SignatureInvalid` where nobody of the set signed, `ThresholdNotMet` where too few did. */
export function requireThreshold(envelope: Envelope, signers: SignerSet, verify: VerifySignature): void {
  const count = signersOf(envelope, signers.keys, verify).length;
  if (count === 0) throw new Failure('SignatureInvalid', { detail: 'no trusted key signed' });
  if (count < signers.threshold) {
    throw new Failure('ThresholdNotMet', { detail: `${count} of ${signers.threshold} signatures` });
  }
}
