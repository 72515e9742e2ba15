import { Failure } from '../failure.ts';
import { isJsonArray, isJsonObject, parseStrictJson, type JsonObject } from '../image/strict-json.ts';
import { fromBase64 } from '../trust/bytes.ts';
import { maxSignatures, preAuthEncoding } from '../trust/envelope.ts';
import type { SignedClaim } from './judge-signatures.ts';
import { maxPayloadBytes, textsOf } from './simple-signing.ts';

/** Media types of a Sigstore bundle, whatever its version, start with this. */
const bundleMediaType =
  /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.[0-9]+)?\+json(?:;version=[0-9.]+)?$/;
/** Most bytes of a bundle; one with certificates and log entries has some ten thousand. */
export const maxSigstoreBundleBytes = 256 * 1024;

const statementType = 'application/vnd.in-toto+json';
const signPredicate = 'https://sigstore.dev/cosign/sign/v1';

/** Whether a layer of this media type is a Sigstore bundle. */
export const isSigstoreBundle = (mediaType: string): boolean => bundleMediaType.test(mediaType);

/**
 * Reads a signature out of a Sigstore bundle. Undefined for a bundle that is no signature, such as an attestation. Only what
 * the key signs is looked at: certificates and log entries are for identities, which this product does not judge.
 * Throws `SignatureInvalid` for what is malformed.
 */
export function sigstoreClaim(bytes: Uint8Array): SignedClaim | undefined {
  const body = parseStrictJson(bytes, { code: 'SignatureInvalid', maxBytes: maxSigstoreBundleBytes });
  const envelope = isJsonObject(body) ? body['dsseEnvelope'] : undefined;
  if (!isJsonObject(envelope) || envelope['payloadType'] !== statementType) return undefined;
  const payload = base64At(envelope, 'payload');
  const statement = parseStrictJson(payload, { code: 'SignatureInvalid', maxBytes: maxPayloadBytes });
  if (!isJsonObject(statement) || statement['predicateType'] !== signPredicate) return undefined;
  return {
    message: preAuthEncoding(statementType, payload),
    signatures: signaturesOf(envelope),
    ...subjectOf(statement),
  };
}

function signaturesOf(envelope: JsonObject): readonly Uint8Array[] {
  const list = envelope['signatures'];
  if (!isJsonArray(list)) throw invalid('no signatures');
  if (list.length > maxSignatures) throw new Failure('TooManySignatures');
  return list.map((entry) => base64At(isJsonObject(entry) ? entry : {}, 'sig'));
}

/** One subject, as cosign writes it: annotations of one subject must not count for another. */
function subjectOf(statement: JsonObject): Pick<SignedClaim, 'digests' | 'annotations'> {
  const subjects = statement['subject'];
  const [subject] = isJsonArray(subjects) && subjects.length === 1 ? subjects : [];
  const digest = isJsonObject(subject) ? subject['digest'] : undefined;
  if (!isJsonObject(subject) || !isJsonObject(digest)) throw invalid('not one subject');
  const digests = Object.entries(textsOf(digest)).map(([algorithm, hex]) => `${algorithm}:${hex}`);
  return { digests, annotations: textsOf(subject['annotations']) };
}

function base64At(object: JsonObject, name: string): Uint8Array {
  const text = object[name];
  const bytes = typeof text === 'string' ? fromBase64(text) : undefined;
  if (bytes === undefined || bytes.length === 0) throw invalid(`no ${name}`);
  return bytes;
}

const invalid = (detail: string): Failure => new Failure('SignatureInvalid', { detail });
