import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { parseCodecKeys } from './codec-keys.ts';
import { SealingCodec } from './codec.ts';

/**
 * The data converter that clients and workers share. `keys` is the text of `TEMPORAL_CODEC_KEYS`; where it is not set,
 * payloads stay readable. Throws `CodecKeyMissing` for malformed keys, so that no process starts half-configured.
 */
export function sharedDataConverter(keys: string | undefined): DataConverter {
  if (keys === undefined || keys === '') return {};
  return {
    payloadCodecs: [new SealingCodec(parseCodecKeys(keys))],
    failureConverterPath: fileURLToPath(new URL('failure-converter.ts', import.meta.url)),
  };
}
