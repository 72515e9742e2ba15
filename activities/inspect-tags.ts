import type { InspectedImage } from '../domain/lifecycle/inspected-image.ts';
import type { TagName } from '../domain/names/tag.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { ImageInspector } from '../infra/copy/image-inspector.ts';

/** How many tags are looked at together. */
const lookups = 8;

/** Inspects the tags of a repository, a few at a time. A tag that went meanwhile is left out. */
export async function inspectTags(
  inspector: ImageInspector,
  endpoint: RepositoryEndpoint,
  tags: readonly TagName[],
  signal: AbortSignal,
): Promise<ReadonlyMap<TagName, InspectedImage>> {
  const inspected = new Map<TagName, InspectedImage>();
  for (let start = 0; start < tags.length; start += lookups) {
    const group = tags.slice(start, start + lookups);
    const images = await Promise.all(group.map((tag) => inspector.inspect(endpoint, tag, signal)));
    for (const [index, tag] of group.entries()) {
      const image = images[index];
      if (image !== undefined) inspected.set(tag, image);
    }
  }
  return inspected;
}
