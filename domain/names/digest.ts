import { Failure } from '../failure.ts';

declare const brand: unique symbol;

/** A content digest such as `sha256:<64 hex>`; only {@link parseDigest} makes one. */
export type Digest = string & { readonly [brand]: 'Digest' };

export type DigestAlgorithm = 'sha256' | 'sha512';

const encodedLength: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

/**
 * Parses a digest by the grammar of the OCI image spec (descriptor.md, "Digests"), for the registered algorithms only.
 * Throws `InvalidDigest`, or `UnsupportedDigestAlgorithm` for a well-formed digest of another algorithm.
 */
export function parseDigest(text: string): Digest {
  const match = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([A-Za-z0-9=_-]+)$/.exec(text);
  const [whole, algorithm, encoded] = match ?? [];
  if (whole !== text || algorithm === undefined || encoded === undefined) {
    throw new Failure('InvalidDigest', { subject: printable(text) });
  }
  if (algorithm !== 'sha256' && algorithm !== 'sha512') {
    throw new Failure('UnsupportedDigestAlgorithm', { subject: printable(text) });
  }
  if (encoded.length !== encodedLength[algorithm] || !/^[0-9a-f]+$/.test(encoded)) {
    throw new Failure('InvalidDigest', { subject: printable(text) });
  }
  return text as Digest;
}

/** The part before the colon. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hex part, safe as a file name or an object key. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Makes outside text fit for a message: no control characters, at most 120 characters. */
export function printable(text: string): string {
  const clean = text.replaceAll(/[^\x20-\x7e]/g, '?');
  return clean.length > 120 ? `${clean.slice(0, 117)}...` : clean;
}
