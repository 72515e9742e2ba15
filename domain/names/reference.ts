import { Failure } from '../failure.ts';
import { parseDigest, printable, type Digest } from './digest.ts';
import { parseRegistryDomain, type RegistryDomain } from './registry-domain.ts';
import { parseRepositoryPath, type RepositoryPath } from './repository-path.ts';
import { parseTag, type TagName } from './tag.ts';

/** A full image reference. Where both tag and digest are given, the digest decides and the tag is only a name. */
export interface Reference {
  readonly domain: RegistryDomain;
  readonly path: RepositoryPath;
  readonly tag?: TagName;
  readonly digest?: Digest;
}

/**
 * Parses `host[:port]/path[:tag][@digest]`. The host is never guessed: `nginx` alone is refused with
 * `RegistryNotDeclared`. Throws the code of the part that is malformed.
 */
export function parseReference(text: string): Reference {
  const slash = text.indexOf('/');
  const host = slash < 0 ? '' : text.slice(0, slash);
  if (host === '' || !(host.includes('.') || host.includes(':') || host === 'localhost')) {
    throw new Failure('RegistryNotDeclared', { subject: printable(text), detail: 'write host/path:tag' });
  }
  const rest = text.slice(slash + 1);
  const at = rest.indexOf('@');
  const named = at < 0 ? rest : rest.slice(0, at);
  const colon = named.indexOf(':');
  return {
    domain: parseRegistryDomain(host),
    path: parseRepositoryPath(colon < 0 ? named : named.slice(0, colon)),
    ...(colon < 0 ? {} : { tag: parseTag(named.slice(colon + 1)) }),
    ...(at < 0 ? {} : { digest: parseDigest(rest.slice(at + 1)) }),
  };
}

/** Prints a reference in the form that {@link parseReference} reads. */
export function printReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${reference.domain}/${reference.path}${tag}${digest}`;
}
