import { createPublicKey, verify } from 'node:crypto';
import type { VerifyBySigningKey } from '../../domain/signature/judge-signatures.ts';

/** ECDSA P-256 over SHA-256 (ASN.1 DER signatures) and ed25519, by Node's crypto. A point that is not on the curve verifies nothing. */
export const verifyBySigningKey: VerifyBySigningKey = ({ algorithm, der }, message, signature) => {
  try {
    const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
    return verify(algorithm === 'ed25519' ? null : 'sha256', message, key, signature);
  } catch {
    return false;
  }
};
