import { Failure } from '../failure.ts';
import { printable, type Digest } from '../names/digest.ts';
import type { SigningKey } from './signing-key.ts';

/** What somebody claims to have signed; nothing of it is true before a key says so. */
export interface SignedClaim {
  /** The bytes that are signed. */
  readonly message: Uint8Array;
  readonly signatures: readonly Uint8Array[];
  /** Digests of the image that the message names, `algorithm:hex`. */
  readonly digests: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a signature has to be. */
export interface SignatureRule {
  /** One of them must have signed. */
  readonly keys: readonly SigningKey[];
  /** What the signed text must say, each value exactly. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** The mathematics, handed in: whether the key made this signature of the message. */
export type VerifyBySigningKey = (key: SigningKey, message: Uint8Array, signature: Uint8Array) => boolean;

/**
 * Returns where one claim satisfies the rule for this very digest. Throws `SignatureRequired` where there is no signature,
 * else `SignatureInvalid` with the reason of the claim that came closest.
 */
export function judgeSignatures(
  digest: Digest,
  claims: readonly SignedClaim[],
  rule: SignatureRule,
  verify: VerifyBySigningKey,
): void {
  if (claims.length === 0) throw new Failure('SignatureRequired', { side: 'source', subject: digest });
  const faults = claims.map((claim) => faultOf(digest, claim, rule, verify));
  if (faults.includes(undefined)) return;
  const worst = faults.filter((fault) => fault !== undefined).sort((one, other) => other.came - one.came)[0];
  const detail = worst?.detail ?? '';
  throw new Failure('SignatureInvalid', { side: 'source', subject: digest, detail });
}

interface Fault {
  /** How many checks it passed. */
  readonly came: number;
  readonly detail: string;
}

function faultOf(
  digest: Digest,
  claim: SignedClaim,
  { keys, annotations }: SignatureRule,
  verify: VerifyBySigningKey,
): Fault | undefined {
  const signed = claim.signatures.some((one) => keys.some((key) => verify(key, claim.message, one)));
  if (!signed) return { came: 0, detail: 'no trusted key signed' };
  if (!claim.digests.includes(digest)) return { came: 1, detail: 'another image is signed' };
  for (const [name, wanted] of Object.entries(annotations)) {
    const found = Object.hasOwn(claim.annotations, name) ? claim.annotations[name] : undefined;
    if (found === wanted) continue;
    const told = found === undefined ? 'missing' : printable(found);
    return { came: 2, detail: `annotation ${printable(name)} is ${told}` };
  }
  return undefined;
}
