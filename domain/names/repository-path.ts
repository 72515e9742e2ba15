import { Failure } from '../failure.ts';
import { printable } from './digest.ts';

declare const brand: unique symbol;

/** A repository's path inside its registry, such as `library/nginx`; only {@link parseRepositoryPath} makes one. */
export type RepositoryPath = string & { readonly [brand]: 'RepositoryPath' };

const segment = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
/** Legal by the grammar, but a path that ends in them reads as another call of the registry API. */
const reservedEndings: ReadonlySet<string> = new Set(['blobs', 'manifests', 'tags', 'referrers', 'uploads']);

/**
 * Parses a repository path by the grammar of the OCI distribution spec, at most 255 characters. Refuses paths that a
 * registry could read as another API call (`x/manifests`). Throws `InvalidRepository`, saying so where a tag or digest
 * was written along with it.
 */
export function parseRepositoryPath(text: string): RepositoryPath {
  const refuse = (detail?: string): never => {
    throw new Failure('InvalidRepository', {
      subject: printable(text),
      ...(detail === undefined ? {} : { detail }),
    });
  };
  if (text.length === 0 || text.length > 255) refuse('1 to 255 characters');
  if (text.includes(':') || text.includes('@'))
    refuse('a path has no tag and no digest; put the tag into spec.tag');
  const segments = text.split('/');
  if (!segments.every((part) => segment.test(part))) refuse();
  if (segments.slice(1).some((part) => reservedEndings.has(part))) refuse('a part of the path is reserved');
  return text as RepositoryPath;
}
