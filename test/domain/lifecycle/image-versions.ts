import type { ImageVersion, Protections, UsageFacts } from '../../../domain/lifecycle/image-version.ts';
import { parseDigest, type Digest } from '../../../domain/names/digest.ts';
import { parseTag } from '../../../domain/names/tag.ts';

/** Now, in every test of this folder. */
export const now = Date.UTC(2026, 0, 100);
export const day = 86_400_000;

/** A digest that reads as its number. */
export const digestOf = (number: number): Digest =>
  parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`);

/** One of our tags, first seen `daysAgo` days ago. */
export function version(
  tag: string,
  number: number,
  daysAgo: number,
  more: Partial<ImageVersion> = {},
): ImageVersion {
  return {
    tag: parseTag(tag),
    digest: digestOf(number),
    firstSeen: now - daysAgo * day,
    children: [],
    names: [`docker.io/library/app:${tag}`, `edge.example/mirror/library/app:${tag}`],
    ours: true,
    ...more,
  };
}

/** Usage that is known and empty, recorded for two years. */
export const noUsage: UsageFacts = {
  known: true,
  digests: new Set(),
  names: new Set(),
  lastUsed: new Map(),
  since: now - 730 * day,
};

/** Nothing is protected. */
export const unprotected: Protections = {
  usage: noUsage,
  rollbackTargets: new Set(),
  syncing: new Set(),
  bundled: new Set(),
  declared: new Set(),
  absentSubjects: new Set(),
};
