import type { Descriptor } from '../../domain/image/descriptor.ts';
import { parseDigest, type Digest } from '../../domain/names/digest.ts';
import { parseTag, type TagName } from '../../domain/names/tag.ts';

/** What the pool's manifests do not say about an image: what is attached to it. Written when all of it was there. */
export interface ImageRecord {
  readonly root: Descriptor;
  readonly attachments: readonly (Descriptor & { readonly tag?: TagName })[];
  /** Children of a sparse index that were copied. Default: all that it lists. */
  readonly children?: readonly Digest[];
}

/** Reads a record out of the bucket; undefined for anything that is not one, so that the image is staged anew. */
export function parseImageRecord(value: unknown): ImageRecord | undefined {
  try {
    const { root, attachments, children } = value as Record<string, unknown>;
    return {
      root: descriptor(root),
      attachments: (attachments as unknown[]).map(attachment),
      ...(Array.isArray(children) ? { children: children.map((each) => parseDigest(String(each))) } : {}),
    };
  } catch {
    return undefined;
  }
}

function attachment(value: unknown): ImageRecord['attachments'][number] {
  const { tag } = value as { readonly tag?: unknown };
  return typeof tag === 'string'
    ? Object.assign(descriptor(value), { tag: parseTag(tag) })
    : descriptor(value);
}

function descriptor(value: unknown): Descriptor {
  const { digest, mediaType, size } = value as Record<string, unknown>;
  if (typeof mediaType !== 'string' || typeof size !== 'number') throw new TypeError('no descriptor');
  return { digest: parseDigest(String(digest)), mediaType, size };
}
