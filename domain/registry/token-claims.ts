import {
  isJsonArray,
  isJsonObject,
  parseStrictJson,
  type JsonObject,
  type JsonValue,
} from '../image/strict-json.ts';

/** One entry of a token's `access` claim: what the token server granted, which may be less than was asked for. */
export interface TokenGrant {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
  /** Docker Hub's pull quota, known before any pull. */
  readonly pullQuota?: { readonly limit: number; readonly windowSeconds: number };
}

/** What a token says about itself. The signature is the registry's to check; this is only for telling people. */
export interface TokenClaims {
  readonly grants: readonly TokenGrant[];
  /** Unix seconds. */
  readonly expires?: number;
}

/** Reads a registry token's claims; undefined where the token is not a JSON Web Token with an `access` claim. */
export function readTokenClaims(token: string): TokenClaims | undefined {
  const payload = decodePayload(token);
  if (payload === undefined || !isJsonArray(payload['access'])) return undefined;
  const { exp } = payload;
  return {
    grants: payload['access'].flatMap((entry) => grantOf(entry) ?? []),
    ...(typeof exp === 'number' ? { expires: exp } : {}),
  };
}

/** When a credential that is a JSON Web Token itself ends, in Unix seconds; undefined for all that do not tell. */
export function readTokenExpiry(token: string): number | undefined {
  const exp = decodePayload(token)?.['exp'];
  return typeof exp === 'number' && exp > 0 && exp < 1e11 ? exp : undefined;
}

function decodePayload(token: string): JsonObject | undefined {
  const parts = token.split('.');
  const encoded = parts[1];
  if (parts.length !== 3 || encoded === undefined || !/^[A-Za-z0-9_-]+$/.test(encoded)) return undefined;
  try {
    const base64 = encoded.replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const value = parseStrictJson(bytes, { code: 'BadTokenResponse', maxBytes: 65_536, maxDepth: 16 });
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function grantOf(value: JsonValue): TokenGrant | undefined {
  if (!isJsonObject(value)) return undefined;
  const { type, name, actions, parameters } = value;
  if (typeof type !== 'string' || typeof name !== 'string') return undefined;
  const pullQuota = isJsonObject(parameters) ? quotaOf(parameters) : undefined;
  return {
    type,
    name,
    actions: isJsonArray(actions) ? actions.filter((action) => typeof action === 'string') : [],
    ...(pullQuota === undefined ? {} : { pullQuota }),
  };
}

function quotaOf(parameters: JsonObject): TokenGrant['pullQuota'] {
  const [limit, windowSeconds] = [whole(parameters['pull_limit']), whole(parameters['pull_limit_interval'])];
  return limit === undefined || windowSeconds === undefined ? undefined : { limit, windowSeconds };
}

function whole(value: JsonValue | undefined): number | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
