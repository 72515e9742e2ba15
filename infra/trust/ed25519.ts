import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import { parseDigest, type Digest } from '../../domain/names/digest.ts';
import {
  preAuthEncoding,
  printEnvelope,
  type VerifySignature,
  type Envelope,
} from '../../domain/trust/envelope.ts';
import { parsePublicKeyPem, publicKeyDer, type PublicKey } from '../../domain/trust/public-key.ts';

/** A private key that can sign, and the public key it signs for. The private part has no way out. */
export interface Signer {
  readonly key: PublicKey;
  sign(message: Uint8Array): Uint8Array;
}

/** Ed25519 by Node's crypto. */
export const verifyEd25519: VerifySignature = (key, message, signature) => {
  const der = createPublicKey({ key: Buffer.from(publicKeyDer(key)), format: 'der', type: 'spki' });
  return verify(null, message, der, signature);
};

/** A signer of a PEM `PRIVATE KEY` (PKCS#8). Throws `InvalidCredential`, never quoting the key. */
export function signerOf(pem: string): Signer {
  let key;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Failure('InvalidCredential', { detail: 'not a private key in PEM' });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new Failure('InvalidCredential', { detail: 'not an ed25519 key' });
  }
  const publicPem = createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
  return { key: parsePublicKeyPem(publicPem), sign: (message) => sign(null, message, key) };
}

/** Makes a key pair; the private key as PEM for a file or Secret that only its owner may read. */
export function generateSigningKey(): { readonly privatePem: string; readonly publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privatePem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
}

/** Signs a payload with every signer; the bytes of a whole envelope file. */
export function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  signers: readonly Signer[],
): Uint8Array {
  return addSignatures({ payloadType, payload, signatures: [] }, signers);
}

/** The same with the signatures that are there already, but those of the same signers. */
export function addSignatures(envelope: Envelope, signers: readonly Signer[]): Uint8Array {
  const { payloadType, payload } = envelope;
  const message = preAuthEncoding(payloadType, payload);
  const others = envelope.signatures.filter(({ keyid }) => signers.every(({ key }) => key !== keyid));
  const own = signers.map((signer) => ({ keyid: signer.key, sig: Uint8Array.from(signer.sign(message)) }));
  return printEnvelope({ payloadType, payload, signatures: [...others, ...own] });
}

/** SHA-256 of bytes in memory. */
export function sha256(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}
