import { Failure } from '../domain/failure.ts';
import { imageTexts } from '../domain/usage/pod-usage.ts';
import type { PodImageLister } from '../infra/kubernetes/pod-images.ts';

/** Characters in one answer: well below Temporal's limit for a payload (2 MiB), and thousands of images. */
const mostCharacters = 1_000_000;

/** What the Pods of a site's cluster write about their images; all of it, or it throws. */
export async function siteImages(pods: PodImageLister | undefined): Promise<readonly string[]> {
  const unknown = (detail: string): never => {
    throw new Failure('UsageUnknown', { side: 'cluster', detail });
  };
  if (pods === undefined) return unknown("the site's worker has no cluster");
  const texts = imageTexts(await pods.list());
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  return characters <= mostCharacters ? texts : unknown('more images than one answer can hold');
}
