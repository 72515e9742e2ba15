import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { checkpointPayload, type Checkpoint, type StatementKind } from '../../domain/audit/checkpoint.ts';
import { Failure } from '../../domain/failure.ts';
import type { CheckpointSigner } from './chained-audit-log.ts';

/** A signer over an Ed25519 private key in PEM. Throws `WeakKey` for any other kind. */
export function checkpointSigner(pem: string): CheckpointSigner {
  const key = ed25519(() => createPrivateKey(pem));
  return {
    keyId: keyIdOf(createPublicKey(key)),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
  };
}

/** Checks signatures with an Ed25519 public key in PEM. Throws `WeakKey` for any other kind. */
export function checkpointVerifier(pem: string): (checkpoint: Checkpoint, kind?: StatementKind) => boolean {
  const key = ed25519(() => createPublicKey(pem));
  return (checkpoint, kind) =>
    checkpoint.keyId === keyIdOf(key) &&
    verify(
      null,
      Buffer.from(checkpointPayload(checkpoint, kind)),
      key,
      Buffer.from(checkpoint.signature, 'base64'),
    );
}

const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

function ed25519(read: () => KeyObject): KeyObject {
  const refuse = (): never => {
    throw new Failure('WeakKey', { side: 'caller', detail: 'expected an Ed25519 key in PEM' });
  };
  try {
    const key = read();
    return key.asymmetricKeyType === 'ed25519' ? key : refuse();
  } catch {
    return refuse();
  }
}
