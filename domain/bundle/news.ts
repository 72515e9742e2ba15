import type { StagedImage, StagePlan } from './stage-plan.ts';

/** What is known when a bundle is to be staged that no person asked for. */
export interface NewsInput {
  readonly images: readonly StagedImage[];
  /** The plan of the last published bundle. Default: there is none. */
  readonly latest?: StagePlan;
  /** Last sequence that the site acknowledged. Default: none. */
  readonly acknowledged?: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Whether a bundle would tell a site anything new. It would not where the last one brings the very same images, and has
 * arrived, or is on its way and has at least half of its life before it.
 */
export function hasNews({ images, latest, acknowledged, now }: NewsInput): boolean {
  if (latest === undefined || spelled(images) !== spelled(latest.images)) return true;
  if ((acknowledged ?? 0) >= latest.sequence) return false;
  const [created, expires] = [Date.parse(latest.createdAt), Date.parse(latest.expires)];
  return now > created + (expires - created) / 2;
}

const spelled = (images: readonly StagedImage[]): string =>
  images
    .map(({ repo, tag, root, platforms }) => JSON.stringify([repo, tag, root.digest, platforms ?? null]))
    .sort()
    .join('\n');
