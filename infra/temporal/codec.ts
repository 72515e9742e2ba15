import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import { defaultPayloadConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { Failure } from '../../domain/failure.ts';
import { printable } from '../../domain/names/digest.ts';
import type { CodecKeys } from './codec-keys.ts';

const PayloadMessage = proto.temporal.api.common.v1.Payload;
const sealedEncoding = 'binary/encrypted';
const nothingEncoding = 'binary/null';
const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals Temporal payloads with AES-256-GCM. A sealed payload is nonce ‖ ciphertext ‖ tag, names its key in its metadata,
 * and is bound to that name. Payloads that are not sealed pass unchanged, so that histories from before the first key
 * can still be read. Opening throws `CodecKeyMissing` where the key is not known. Nothing (`undefined`) is left as it is:
 * Temporal hands the result of one scheduled run to the next, which may come after the key is gone.
 */
export class SealingCodec implements PayloadCodec {
  readonly #keys: CodecKeys;

  constructor(keys: CodecKeys) {
    this.#keys = keys;
  }

  /** Id of the key that seals. */
  get keyId(): string {
    return this.#keys.current.id;
  }

  /** Ids of all keys, the one that seals first. */
  get keyIds(): readonly string[] {
    return [...this.#keys.byId.keys()];
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => (isNothing(payload) ? payload : this.#seal(payload)));
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
    const id = sealOf(payload);
    if (id === undefined) return payload;
    const key = this.#keys.byId.get(id);
    if (key === undefined)
      throw new Failure('CodecKeyMissing', { subject: `key ${printable(id.slice(0, 64))}` });
    return openSealed(payload.data ?? new Uint8Array(), id, key);
  }
}

/**
 * Seals and does not open: what is sealed reads as nothing. For those who change what they need not read, such as a
 * Schedule whose key is gone. `codec`: what seals. Default: nothing is sealed.
 */
export function sealOnly(codec?: PayloadCodec): PayloadCodec {
  return {
    encode: async (payloads) => (codec === undefined ? payloads : codec.encode(payloads)),
    decode: async (payloads) =>
      payloads.map((payload) =>
        sealOf(payload) === undefined ? payload : defaultPayloadConverter.toPayload(undefined),
      ),
  };
}

/** Id of the key that sealed a payload; undefined where it is not sealed. */
export function sealOf({ metadata }: Payload): string | undefined {
  if (text(metadata?.['encoding']) !== sealedEncoding) return undefined;
  return text(metadata?.['encryption-key-id']);
}

const isNothing = ({ metadata, data }: Payload): boolean =>
  text(metadata?.['encoding']) === nothingEncoding && (data ?? []).length === 0;

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
