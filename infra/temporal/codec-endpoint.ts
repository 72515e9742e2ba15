import type { Payload, PayloadCodec } from '@temporalio/common';

/** A Temporal payload as its own JSON has it (proto3 JSON mapping): metadata values and data in base64. */
export interface JsonPayload {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
}

/** Opens sealed payloads for people. */
export interface PayloadOpener {
  /** Throws `CodecKeyMissing`. Payloads that are not sealed pass unchanged. */
  open(payloads: readonly JsonPayload[]): Promise<readonly JsonPayload[]>;
}

/** An opener over a codec. */
export function payloadOpener(codec: PayloadCodec): PayloadOpener {
  return {
    open: async (payloads) => (await codec.decode(payloads.map(fromJson))).map(toJson),
  };
}

function fromJson({ metadata = {}, data }: JsonPayload): Payload {
  const decoded = Object.entries(metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')]);
  return {
    metadata: Object.fromEntries(decoded),
    ...(data === undefined ? {} : { data: Buffer.from(data, 'base64') }),
  };
}

function toJson({ metadata, data }: Payload): JsonPayload {
  const encoded = Object.entries(metadata ?? {}).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ]);
  return {
    metadata: Object.fromEntries(encoded),
    ...(data === undefined || data === null ? {} : { data: Buffer.from(data).toString('base64') }),
  };
}
