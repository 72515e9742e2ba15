import { Failure } from '../failure.ts';
import { isJsonObject, parseStrictJson, type JsonObject } from '../image/strict-json.ts';

/** A bearer token and how long it is good for, in seconds from when it was received. */
export interface RegistryToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

/** Bytes of a token server's answer that are read. */
export const maxTokenResponseBytes: number = 64 * 1024;
/** What a token lives where the server does not say (distribution, token authentication spec). */
const defaultLifetimeSeconds = 60;
const longestLifetimeSeconds = 86_400;

/**
 * Parses a token server's answer: `token`, or `access_token` where that is the only one (Azure, Go's token-server).
 * Throws `BadTokenResponse`, which never quotes the body.
 */
export function parseTokenResponse(bytes: Uint8Array): RegistryToken {
  const body = parseStrictJson(bytes, {
    code: 'BadTokenResponse',
    maxBytes: maxTokenResponseBytes,
    maxDepth: 8,
  });
  if (!isJsonObject(body)) throw new Failure('BadTokenResponse', { detail: 'not an object' });
  const token = tokenText(body['token']) ?? tokenText(body['access_token']);
  if (token === undefined) throw new Failure('BadTokenResponse', { detail: 'no token' });
  return { token, expiresInSeconds: lifetime(body['expires_in']) };
}

/** RFC 6750's b64token, and a little more for registries that send opaque text: printable ASCII without spaces. */
function tokenText(value: JsonObject[string] | undefined): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new Failure('BadTokenResponse', { detail: 'the token is not usable in a header' });
  }
  return value;
}

function lifetime(value: JsonObject[string] | undefined): number {
  const seconds = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || seconds <= 0) return defaultLifetimeSeconds;
  return Math.min(seconds, longestLifetimeSeconds);
}
