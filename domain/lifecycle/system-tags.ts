import type { Digest } from '../names/digest.ts';
import { subjectOfTag, type TagName } from '../names/tag.ts';

/** Begins the tags under which a copy holds a graph until its final tag is written. */
export const stagingTagPrefix = 'imageferry-staging-';
/** Begins the tags under which cleanup parks what it is about to delete. */
export const parkedTagPrefix = 'imageferry-parked-';

/** Tags that name no version of an image. */
export type SystemTag =
  | { readonly kind: 'attachment'; readonly subject: Digest }
  | { readonly kind: 'staging' }
  | { readonly kind: 'parked' };

/**
 * What a tag is, where it is not a version: a signature or referrers list (`sha256-<hex>[.sig|.att|.sbom]`), or one of
 * our own. Undefined for an ordinary tag.
 */
export function systemTagKind(tag: TagName): SystemTag | undefined {
  const subject = subjectOfTag(tag);
  if (subject !== undefined) return { kind: 'attachment', subject };
  if (tag.startsWith(stagingTagPrefix)) return { kind: 'staging' };
  return tag.startsWith(parkedTagPrefix) ? { kind: 'parked' } : undefined;
}
