import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../names/digest.ts';
import type { PlatformSelection, RepositoryStatus, SyncTrigger } from '../resources/repository.ts';

/** What one tag stands for upstream, and which sites do not have it yet. */
export interface SurveyedImage {
  readonly tag: string;
  readonly root: Descriptor;
  /** Sites whose tag shows the wanted image, with the digest that they show. */
  readonly current: readonly { readonly site: string; readonly digest: string }[];
  /** Sites to copy to. */
  readonly needed: readonly string[];
}

/** A page of what was found; `next` is where the following page begins. */
export interface Survey {
  readonly images: readonly SurveyedImage[];
  readonly next?: string;
  /** Tags that are wanted in all, over every page. */
  readonly total: number;
}

/** What a site's tag was seen to show: undefined where it shows nothing, or where the site could not be asked. */
export interface Sighting {
  readonly site: string;
  readonly digest: Digest | undefined;
}

/** Compares what upstream has with what the sites show. A repair copies whatever the sites show. */
export function compareSites(
  tag: string,
  root: Descriptor,
  sightings: readonly Sighting[],
  known: {
    readonly platforms?: PlatformSelection;
    readonly status?: RepositoryStatus;
    readonly trigger: SyncTrigger;
  },
): SurveyedImage {
  const isCurrent = ({ site, digest }: Sighting): boolean =>
    known.trigger !== 'repair' &&
    digest !== undefined &&
    digest === expectedDigest(site, root.digest, known.platforms, known.status);
  return {
    tag,
    root,
    current: sightings.flatMap((sighting) =>
      isCurrent(sighting) ? [{ site: sighting.site, digest: sighting.digest ?? root.digest }] : [],
    ),
    needed: sightings.filter((sighting) => !isCurrent(sighting)).map(({ site }) => site),
  };
}

/** The digest of upstream, or, where indexes are rewritten to fewer platforms, the one that we wrote for it. */
function expectedDigest(
  site: string,
  root: Digest,
  platforms: PlatformSelection | undefined,
  status: RepositoryStatus | undefined,
): string | undefined {
  if (platforms?.mode !== 'rewrite') return root;
  if (status?.digest !== root) return undefined;
  return status.sites?.find((entry) => entry.site === site && entry.state === 'Synced')?.digest;
}

/** How many tags one page holds: a page's survey stays far below Temporal's warning of 512 KiB. */
export const surveyPageSize = 50;

/** The part of a sorted list of tags that follows `after`. */
export function pageOf(
  tags: readonly string[],
  after: string | undefined,
): { readonly page: readonly string[]; readonly next?: string } {
  const rest = [...tags].sort().filter((tag) => after === undefined || tag > after);
  const page = rest.slice(0, surveyPageSize);
  const last = page.at(-1);
  return last === undefined || rest.length <= page.length ? { page } : { page, next: last };
}
