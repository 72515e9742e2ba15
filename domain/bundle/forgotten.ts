import type { ImageBundle } from '../resources/image-bundle.ts';

/** Bundles of a site that are over and still shown, at least. */
const mostShown = 20;
/** Milliseconds for which one that is over is shown in any case: thirty days. */
const shownMs = 30 * 86_400_000;

/**
 * The ImageBundles that nobody has to see any more: over (`Collected`, `Failed`), made more than thirty days ago, and not
 * among the newest twenty of these of their site. Else a daily bundle for each of a thousand sites would fill etcd.
 */
export function forgettable(bundles: readonly ImageBundle[], now: number): readonly ImageBundle[] {
  const over = bundles.filter(({ status }) => status?.phase === 'Collected' || status?.phase === 'Failed');
  return [...Map.groupBy(over, ({ spec }) => spec.site).values()].flatMap((ofSite) =>
    ofSite
      .toSorted((one, other) => other.spec.sequence - one.spec.sequence)
      .slice(mostShown)
      .filter(({ metadata }) => Date.parse(metadata.creationTimestamp ?? '') < now - shownMs),
  );
}
