import { Failure } from '../failure.ts';
import { digestHex, digestAlgorithm, parseDigest, printable, type Digest } from './digest.ts';

declare const brand: unique symbol;

/** A tag; only {@link parseTag} makes one. */
export type TagName = string & { readonly [brand]: 'TagName' };

/** Parses a tag by the grammar of the OCI distribution spec ("Pulling manifests"). Throws `InvalidTag`. */
export function parseTag(text: string): TagName {
  if (text.length > 128 || !/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(text)) {
    throw new Failure('InvalidTag', { subject: printable(text) });
  }
  return text as TagName;
}

/** The fallback tag under which a registry without the referrers API lists what refers to a digest. */
export function referrersTag(subject: Digest): TagName {
  return parseTag(`${digestAlgorithm(subject)}-${digestHex(subject)}`.slice(0, 128));
}

/** The digest that a `sha256-<hex>[.sig|.att|.sbom]` tag belongs to, or undefined for an ordinary tag. */
export function subjectOfTag(tag: TagName): Digest | undefined {
  const match = /^(sha256)-([0-9a-f]{64})(?:\.(?:sig|att|sbom))?$/.exec(tag);
  return match === null ? undefined : parseDigest(`${match[1]}:${match[2]}`);
}
