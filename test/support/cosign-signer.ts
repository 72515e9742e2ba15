import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { preAuthEncoding } from '../../domain/trust/envelope.ts';

/** Signs as cosign's documents say (specs/SIGNATURE_SPEC.md; sigstore bundle v0.3), with keys of its own. */
export interface CosignSigner {
  readonly publicKey: string;
  /** The payload, and its signature in base64. */
  simple(digest: string, annotations?: object): { readonly payload: Buffer; readonly signature: string };
  /** A Sigstore bundle. `predicateType` is that of a signature where none is given. */
  bundle(digest: string, annotations?: object, predicateType?: string): Buffer;
}

/** A signer with a new key. */
export function cosignSigner(algorithm: 'ecdsa-p256' | 'ed25519' | 'rsa' = 'ecdsa-p256'): CosignSigner {
  const { privateKey, publicKey } = keyPair(algorithm);
  const signed = (message: Uint8Array): string =>
    sign(algorithm === 'ed25519' ? null : 'sha256', message, privateKey).toString('base64');
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    simple(digest, optional = {}) {
      const image = { 'docker-manifest-digest': digest };
      const type = 'cosign container image signature';
      const critical = { identity: { 'docker-reference': 'r.example/a' }, image, type };
      const payload = Buffer.from(JSON.stringify({ critical, optional }));
      return { payload, signature: signed(payload) };
    },
    bundle(digest, annotations = {}, predicateType = 'https://sigstore.dev/cosign/sign/v1') {
      const [name = '', hex = ''] = digest.split(':');
      const subject = [{ digest: { [name]: hex }, annotations }];
      const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate: {} };
      const payload = Buffer.from(JSON.stringify(statement));
      const payloadType = 'application/vnd.in-toto+json';
      const signatures = [{ sig: signed(preAuthEncoding(payloadType, payload)) }];
      const dsseEnvelope = { payload: payload.toString('base64'), payloadType, signatures };
      const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
      const verificationMaterial = { publicKey: { hint: 'x' } };
      return Buffer.from(JSON.stringify({ mediaType, verificationMaterial, dsseEnvelope }));
    },
  };
}

function keyPair(algorithm: string): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  if (algorithm === 'ed25519') return generateKeyPairSync('ed25519');
  if (algorithm === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}
