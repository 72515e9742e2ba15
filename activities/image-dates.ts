import { Failure } from '../domain/failure.ts';
import type { UpstreamTag } from '../domain/lifecycle/tag-selection.ts';
import type { TagName } from '../domain/names/tag.ts';
import type { Digest } from '../domain/names/digest.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import { datesKey, readDocument, writeDocument } from './cleanup-documents.ts';
import type { SyncDependencies } from './dependencies.ts';
import { inWindow } from '../domain/in-window.ts';

/** Tags whose dates are looked up, at most: each new digest costs upstream two reads, one of them a counted pull. */
export const maxDatedTags = 2000;
/** How many are looked up together. */
const lookups = 8;

/**
 * Tags with the dates of their images, from their images' configs. What a digest says never changes, so that each is read once and
 * remembered. A tag that went meanwhile is left out. Throws `InvalidRule` for too many tags: then the selector has to be narrowed.
 */
export async function datedTags(
  deps: Pick<SyncDependencies, 'engine' | 'documents'>,
  source: RepositoryEndpoint,
  tags: readonly TagName[],
  signal: AbortSignal,
): Promise<readonly UpstreamTag[]> {
  if (tags.length > maxDatedTags) {
    const detail = `${tags.length} tags match, dates are read of ${maxDatedTags} at most: narrow the selector`;
    throw new Failure('InvalidRule', { side: 'caller', subject: 'orderBy: created', detail });
  }
  const key = datesKey(source.registry.domain, source.path);
  const before = (await readDocument(deps.documents, key)) ?? {};
  const known = new Map(Object.entries(before));
  const digests = new Map<TagName, Digest>();
  await inWindow(tags, lookups, async (tag) => {
    const root = await deps.engine.resolve(source, tag, signal);
    if (root === undefined) return;
    digests.set(tag, root.digest);
    if (!known.has(root.digest)) known.set(root.digest, await dateOf(deps, source, root, signal));
  });
  const current = new Set<string>(digests.values());
  const next = Object.fromEntries([...known].filter(([digest]) => current.has(digest)));
  if (JSON.stringify(next) !== JSON.stringify(before)) await writeDocument(deps.documents, key, next);
  return [...digests].map(([tag, digest]) => dated(tag, known.get(digest)));
}

const dated = (tag: TagName, created: number | null | undefined): UpstreamTag =>
  typeof created === 'number' ? { tag, created } : { tag };

/** Null where the image does not say, or is none that has a config. */
async function dateOf(
  deps: Pick<SyncDependencies, 'engine'>,
  source: RepositoryEndpoint,
  root: Parameters<SyncDependencies['engine']['describe']>[1],
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const { created } = await deps.engine.describe(source, root, signal);
    const time = Date.parse(created ?? '');
    return Number.isNaN(time) ? null : time;
  } catch (error) {
    if (error instanceof Failure && !error.retryable && error.code !== 'Cancelled') return null;
    throw error;
  }
}
