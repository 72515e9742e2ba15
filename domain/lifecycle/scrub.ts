import type { FailureCode } from '../failure.ts';
import { parseDigest, type Digest } from '../names/digest.ts';
import { parseTag, type TagName } from '../names/tag.ts';
import { setCondition } from '../resources/meta.ts';
import type { Repository, RepositoryStatus } from '../resources/repository.ts';

/** Images that one scrub of one Repository looks at; a larger one is looked at in turns. */
export const scrubPageSize = 50;

/** One placed image to check. */
export interface PlacedImage {
  readonly site: string;
  readonly tag: TagName;
  /** What it should show. Default: whatever it shows. */
  readonly digest?: Digest;
  /** Whether its bytes are read as well, not only that they are there. */
  readonly deep: boolean;
}

/** What was found wrong. */
export interface Damage {
  readonly site: string;
  readonly tag: string;
  readonly code: FailureCode;
  readonly detail: string;
}

/**
 * What a scrub checks: everything the status says is at a site, and `more` that was found there, as a status names only
 * a part of very many tags. `turn` counts scrubs: it decides which part of a large Repository comes now, and which image
 * of the part has its bytes read.
 */
export function scrubTargets(
  { spec, status }: Repository,
  turn: number,
  more: readonly Pick<PlacedImage, 'site' | 'tag'>[] = [],
): PlacedImage[] {
  const placed = (status?.tags ?? []).filter(({ state }) => state === 'Synced');
  const single = status?.digest === undefined ? [] : [{ tag: spec.tag, digest: status.digest }];
  const tags = spec.tagSelector === undefined ? single : placed;
  const sites = (status?.sites ?? []).filter(({ state }) => state === 'Synced');
  const known = sites.flatMap(({ site, digest }) =>
    tags.map((entry) => ({
      site,
      tag: parseTag(entry.tag),
      // A site may have another digest than upstream, where indexes are rewritten to fewer platforms.
      digest: parseDigest(spec.tagSelector === undefined ? (digest ?? entry.digest) : entry.digest),
    })),
  );
  const named = new Set(known.map(({ site, tag }) => `${site} ${tag}`));
  const all: Omit<PlacedImage, 'deep'>[] = [
    ...known,
    ...more.filter(({ site, tag }) => !named.has(`${site} ${tag}`)),
  ];
  const pages = Math.max(1, Math.ceil(all.length / scrubPageSize));
  const start = (turn % pages) * scrubPageSize;
  const page = all.slice(start, start + scrubPageSize);
  const read = page[Math.floor(turn / pages) % page.length];
  return page.map((image) => Object.assign(image, { deep: image === read }));
}

/** The status with what a scrub found: condition `Degraded`, true while something is damaged. */
export function scrubbedStatus(
  { metadata, status }: Repository,
  damage: readonly Damage[],
  checked: number,
  now: string,
): RepositoryStatus {
  const [first] = damage;
  const observedGeneration = metadata.generation ?? 0;
  const found =
    first === undefined
      ? { status: 'False' as const, reason: 'Succeeded', message: `${checked} images checked` }
      : {
          status: 'True' as const,
          reason: 'ImageDegraded',
          message: `${damage.length} of ${checked} images are damaged: ${first.site} ${first.tag}: ${first.code} ${first.detail}`,
        };
  return {
    ...status,
    conditions: setCondition(
      status?.conditions ?? [],
      { type: 'Degraded', observedGeneration, ...found },
      now,
    ),
  };
}
