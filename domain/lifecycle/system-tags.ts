import { digestHex, type Digest } from '../names/digest.ts';
import { parseTag, subjectOfTag, type TagName } from '../names/tag.ts';

/** Begins the tags under which a copy holds a graph until its final tag is written. */
export const stagingTagPrefix = 'imageferry-staging-';
/** Begins the tags under which cleanup parks what it is about to delete. */
export const parkedTagPrefix = 'imageferry-parked-';

/**
 * The tag under which a copy holds a graph, with the hour (UTC) in which that began: a registry does not say how old a tag
 * is. `now`: epoch milliseconds.
 */
export function stagingTag(root: Digest, now: number): TagName {
  const hour = new Date(now).toISOString().slice(0, 13).replaceAll(/[-T]/g, '');
  return parseTag(`${stagingTagPrefix}${hour}-${digestHex(root).slice(-32)}`);
}

/** Epoch milliseconds of a staging tag's hour; undefined for any other tag. */
export function stagedAt(tag: TagName): number | undefined {
  const [, year, month, day, hour] =
    /^imageferry-staging-(\d{4})(\d\d)(\d\d)(\d\d)-[0-9a-f]{32}$/.exec(tag) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T${hour}:00:00Z`);
  return Number.isNaN(time) ? undefined : time;
}

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
