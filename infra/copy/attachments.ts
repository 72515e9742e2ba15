import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import {
  accessOf,
  type Attachment,
  type ContentSource,
  type ContentTarget,
  type ManifestSource,
} from './content.ts';
import { GraphCopy, type CopyContext, type GraphCopyOptions } from './copy-graph.ts';
import { loadGraph, type ImageGraph } from './image-graph.ts';

/** How many arrived, and how many the source has that did not. */
export interface AttachmentCount {
  readonly copied: number;
  readonly missing: number;
}

/** Attachments of attachments (a signature of an SBOM) are followed this far. */
const maxDepth = 3;
/** Attachments of one image in all. */
const maxAttachments = 1000;

/** What is attached to the manifests of a graph themselves. */
export async function findAttachments(
  source: ContentSource,
  graph: ImageGraph,
  options: Pick<GraphCopyOptions, 'signal'>,
): Promise<readonly Found[]> {
  const subjects = graph.manifests.map((node) => node.stored.descriptor.digest);
  return (await Promise.all(subjects.map((digest) => attachmentsOf(source, digest, options)))).flat();
}

/**
 * Copies attachments, and theirs, of manifests that are at the target already, then counts at the target. Does not
 * throw for one that cannot be copied: the gap is in the count.
 */
export async function copyAttachments(
  source: ContentSource,
  target: ContentTarget,
  first: readonly Found[],
  context: CopyContext,
  options: GraphCopyOptions,
): Promise<AttachmentCount> {
  const seen = new Set<string>();
  let found = first;
  let [copied, missing, taken] = [0, 0, 0];
  for (let depth = 0; depth < maxDepth && found.length > 0; depth += 1) {
    const unseen = unseenOf(found, seen);
    const fresh = unseen.slice(0, maxAttachments - taken);
    taken += fresh.length;
    const arrived: Found[] = [];
    for (const each of fresh) {
      if (await copyOne(source, target, each.attachment, context, options)) arrived.push(each);
    }
    copied += arrived.length;
    missing += unseen.length - arrived.length + (await uncounted(target, arrived, options));
    const next = [...new Set(fresh.map(({ attachment }) => attachment.digest))];
    found = (await Promise.all(next.map((digest) => attachmentsOf(source, digest, options)))).flat();
  }
  // What is attached deeper still is not looked for, but what was found does not go unsaid.
  return { copied, missing: missing + unseenOf(found, seen).length };
}

/** Those that come up for the first time; they are seen then. */
function unseenOf(found: readonly Found[], seen: Set<string>): readonly Found[] {
  return found.filter(({ subject, attachment }) => {
    const key = `${subject} ${attachment.digest} ${attachment.tag ?? ''}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

/** An attachment and what it is attached to. */
export interface Found {
  readonly subject: Digest;
  readonly attachment: Attachment;
}

/** The blobs of attachments; of one that cannot be read, its own copy will tell. */
export async function attachedBlobs(
  source: ManifestSource,
  found: readonly Found[],
  options: Pick<GraphCopyOptions, 'signal'>,
): Promise<readonly Descriptor[]> {
  const blobs = new Map<Digest, Descriptor>();
  for (const { attachment } of found.slice(0, maxAttachments)) {
    try {
      for (const blob of (await loadGraph(source, attachment, options)).blobs) blobs.set(blob.digest, blob);
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
    }
  }
  return [...blobs.values()];
}

async function attachmentsOf(
  source: ContentSource,
  subject: Digest,
  options: Pick<GraphCopyOptions, 'signal'>,
): Promise<readonly Found[]> {
  const attachments = await source.referrers(subject, options.signal);
  return attachments.map((attachment) => ({ subject, attachment }));
}

async function copyOne(
  source: ContentSource,
  target: ContentTarget,
  attachment: Attachment,
  context: CopyContext,
  options: GraphCopyOptions,
): Promise<boolean> {
  try {
    const graph = await loadGraph(context.manifests.before(source, accessOf(source)), attachment, options);
    const { signal, memory, limiter } = options;
    await new GraphCopy(source, target, graph, context, {
      ...(signal === undefined ? {} : { signal }),
      ...(memory === undefined ? {} : { memory }),
      ...(limiter === undefined ? {} : { limiter }),
      ...(attachment.tag === undefined ? {} : { tag: attachment.tag }),
    }).run();
    return true;
  } catch (error) {
    if (options.signal?.aborted === true || !(error instanceof Failure)) throw error;
    return false;
  }
}

/** Attachments by subject that the target does not list although they were copied. */
async function uncounted(
  target: ContentTarget,
  copied: readonly Found[],
  options: GraphCopyOptions,
): Promise<number> {
  const bySubject = Map.groupBy(
    copied.filter(({ attachment }) => attachment.tag === undefined),
    ({ subject }) => subject,
  );
  let gap = 0;
  for (const [subject, wanted] of bySubject) {
    const there = new Set((await target.referrers(subject, options.signal)).map((each) => each.digest));
    gap += wanted.filter(({ attachment }) => !there.has(attachment.digest)).length;
  }
  return gap;
}
