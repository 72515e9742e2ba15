import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { Failure } from '../../domain/failure.ts';
import type { CodecKeys } from './codec-keys.ts';

const PayloadMessage = proto.temporal.api.common.v1.Payload;
const sealedEncoding = 'binary/encrypted';
const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals Temporal payloads with AES-256-GCM. A sealed payload is nonce ‖ ciphertext ‖ tag, names its key in its metadata,
 * and is bound to that name. Payloads that are not sealed pass unchanged, so that histories from before the first key
 * can still be read. Opening throws `CodecKeyMissing` where the key is not known.
 */
export class SealingCodec implements PayloadCodec {
  readonly #keys: CodecKeys;

  constructor(keys: CodecKeys) {
    this.#keys = keys;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => this.#seal(payload));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => this.#open(payload));
  }

  #seal(payload: Payload): Payload {
    const { id, key } = this.#keys.current;
    const nonce = randomBytes(nonceBytes);
    const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(id));
    const plain = PayloadMessage.encode(payload).finish();
    const data = Buffer.concat([nonce, sealing.update(plain), sealing.final(), sealing.getAuthTag()]);
    return {
      metadata: { encoding: Buffer.from(sealedEncoding), 'encryption-key-id': Buffer.from(id) },
      data,
    };
  }

  #open(payload: Payload): Payload {
    if (text(payload.metadata?.['encoding']) !== sealedEncoding) return payload;
    const id = text(payload.metadata?.['encryption-key-id']);
    const key = this.#keys.byId.get(id);
    if (key === undefined) throw new Failure('CodecKeyMissing', { subject: `key ${id.slice(0, 64)}` });
    return openSealed(payload.data ?? new Uint8Array(), id, key);
  }
}

function openSealed(data: Uint8Array, id: string, key: KeyObject): Payload {
  if (data.length < nonceBytes + tagBytes) throw unreadable();
  const opening = createDecipheriv(cipher, key, data.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(id))
    .setAuthTag(data.subarray(-tagBytes));
  try {
    const plain = Buffer.concat([opening.update(data.subarray(nonceBytes, -tagBytes)), opening.final()]);
    const { metadata, data: body } = PayloadMessage.decode(plain);
    return { metadata, data: body };
  } catch (cause) {
    throw unreadable(cause);
  }
}

const unreadable = (cause?: unknown): Failure =>
  new Failure('CodecKeyMissing', {
    detail: 'the payload was changed, or sealed with another key of that id',
    cause,
  });

const text = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('utf8');
