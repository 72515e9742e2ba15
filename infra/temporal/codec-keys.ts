import { createSecretKey, type KeyObject } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';

/** Keys by id; the first one seals, all of them open. */
export interface CodecKeys {
  readonly current: { readonly id: string; readonly key: KeyObject };
  readonly byId: ReadonlyMap<string, KeyObject>;
}

/**
 * Parses `TEMPORAL_CODEC_KEYS`: `id:base64,id:base64,…`, each key 32 bytes, the current one first. To rotate, put a new
 * key in front and keep the old ones for as long as histories are kept. Throws `CodecKeyMissing` for anything else; the
 * message never holds key material.
 */
export function parseCodecKeys(text: string): CodecKeys {
  const entries = text.split(',').map((entry, index) => parseKey(entry.trim(), index + 1));
  const byId = new Map(entries.map(({ id, key }) => [id, key]));
  const [current] = entries;
  if (current === undefined || byId.size !== entries.length) throw malformed('every key needs its own id');
  return { current, byId };
}

function parseKey(entry: string, place: number): { readonly id: string; readonly key: KeyObject } {
  const match = /^([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/]{43}=)$/.exec(entry);
  const [, id, encoded] = match ?? [];
  if (id === undefined || encoded === undefined) throw malformed(`key ${place} is not id:base64 of 32 bytes`);
  return { id, key: createSecretKey(Buffer.from(encoded, 'base64')) };
}

function malformed(detail: string): Failure {
  return new Failure('CodecKeyMissing', { side: 'caller', subject: 'TEMPORAL_CODEC_KEYS', detail });
}
