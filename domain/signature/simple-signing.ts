import { isJsonObject, parseStrictJson, type JsonObject, type JsonValue } from '../image/strict-json.ts';
import { Failure } from '../failure.ts';
import { fromBase64 } from '../trust/bytes.ts';
import type { SignedClaim } from './judge-signatures.ts';

/** Media type of a layer that holds what was signed; the signature is its annotation. */
export const simpleSigningMediaType = 'application/vnd.dev.cosign.simplesigning.v1+json';
/** The annotation with the signature in base64. */
export const signatureAnnotation = 'dev.cosignproject.cosign/signature';
/** Most bytes of what was signed. */
export const maxPayloadBytes = 64 * 1024;

/** Reads cosign's simple signing payload and its signature. Throws `SignatureInvalid` for what is none. */
export function simpleSigningClaim(payload: Uint8Array, signature: string | undefined): SignedClaim {
  const bytes = fromBase64(signature ?? '');
  if (bytes === undefined || bytes.length === 0) throw invalid('no signature in its annotation');
  const body = parseStrictJson(payload, { code: 'SignatureInvalid', maxBytes: maxPayloadBytes });
  const critical = objectAt(body, 'critical');
  if (critical['type'] !== 'cosign container image signature') throw invalid('not a signature of an image');
  const digest = objectAt(critical, 'image')['docker-manifest-digest'];
  if (typeof digest !== 'string') throw invalid('no digest');
  return {
    message: payload,
    signatures: [bytes],
    digests: [digest],
    annotations: textsOf(isJsonObject(body) ? body['optional'] : undefined),
  };
}

function objectAt(value: JsonValue, name: string): JsonObject {
  const found = isJsonObject(value) ? value[name] : undefined;
  if (!isJsonObject(found)) throw invalid(`no ${name}`);
  return found;
}

/** The entries that are texts; all others say nothing that a rule could ask for. */
export function textsOf(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

const invalid = (detail: string): Failure => new Failure('SignatureInvalid', { detail });
