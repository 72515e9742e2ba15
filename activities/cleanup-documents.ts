import { asFailure, Failure } from '../domain/failure.ts';
import { planDocument } from '../domain/lifecycle/ids.ts';
import type { PlanRecord } from '../domain/lifecycle/cleanup-run.ts';
import type { TagLedger } from '../domain/lifecycle/tag-ledger.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { OwnReads } from '../domain/usage/own-reads.ts';
import type { UseLedger } from '../domain/usage/use-ledger.ts';
import type { Documents } from '../infra/kubernetes/documents.ts';

/** The documents of the lifecycle by their key. They are our own writing, read back by the same version or a later one. */
interface DocumentKinds {
  readonly plan: PlanRecord;
  readonly ledger: TagLedger;
  readonly usage: UseLedger;
  readonly retired: RetiredTags;
  readonly dates: ImageDates;
  readonly reads: OwnReads;
}

/** Tags of one image that cleanup took from a site, and their digests: no sync brings the same digest back. */
export type RetiredTags = Readonly<Record<string, string>>;

/** When the images of a repository were made, by digest, in epoch milliseconds; null where an image does not say. */
export type ImageDates = Readonly<Record<string, number | null>>;

/** A document's key. */
export interface DocumentKey<K extends keyof DocumentKinds> {
  readonly kind: K;
  readonly key: string;
}

export const planKey = (ref: ObjectRef): DocumentKey<'plan'> => ({
  kind: 'plan',
  key: planDocument(ref),
});
export const ledgerKey = (site: string, image: string): DocumentKey<'ledger'> => ({
  kind: 'ledger',
  key: `ledger/${site}/${image}`,
});
export const usageKey: DocumentKey<'usage'> = { kind: 'usage', key: 'usage' };
export const retiredKey = (site: string, image: string): DocumentKey<'retired'> => ({
  kind: 'retired',
  key: `retired/${site}/${image}`,
});

export const datesKey = (registry: string, path: string): DocumentKey<'dates'> => ({
  kind: 'dates',
  key: `dates/${registry}/${path}`,
});

export const readsKey = (site: string, image: string): DocumentKey<'reads'> => ({
  kind: 'reads',
  key: `reads/${site}/${image}`,
});

/** Reads a document; undefined where there is none yet. */
export async function readDocument<K extends keyof DocumentKinds>(
  documents: Documents,
  { key }: DocumentKey<K>,
): Promise<DocumentKinds[K] | undefined> {
  const text = await documents.read(key);
  return text === undefined ? undefined : (JSON.parse(text) as DocumentKinds[K]);
}

/** A document, and the version it was seen at; neither where there is none. */
export interface SeenDocument<K extends keyof DocumentKinds> {
  readonly value?: DocumentKinds[K];
  readonly version?: string;
}

/** Reads a document that {@link replaceDocument} is to replace. */
export async function lookAtDocument<K extends keyof DocumentKinds>(
  documents: Documents,
  { key }: DocumentKey<K>,
): Promise<SeenDocument<K>> {
  const { text, version } = await documents.look(key);
  return {
    ...(text === undefined ? {} : { value: JSON.parse(text) as DocumentKinds[K] }),
    ...(version === undefined ? {} : { version }),
  };
}

/**
 * Replaces a document that is as it was seen; answers its new version. Throws `ClusterUnavailable` where somebody else
 * wrote it meanwhile: the step is tried again, and sees what the other one wrote.
 */
export async function replaceDocument<K extends keyof DocumentKinds>(
  documents: Documents,
  { key }: DocumentKey<K>,
  value: DocumentKinds[K],
  version: string | undefined,
): Promise<string | undefined> {
  try {
    return await documents.replace(key, JSON.stringify(value), version);
  } catch (error) {
    if (asFailure(error).code !== 'Conflict') throw error;
    const detail = 'somebody else wrote it in the meantime';
    throw new Failure('ClusterUnavailable', { side: 'cluster', subject: key, detail, cause: error });
  }
}

/** Replaces a document, whoever wrote it last. */
export async function writeDocument<K extends keyof DocumentKinds>(
  documents: Documents,
  { key }: DocumentKey<K>,
  value: DocumentKinds[K],
): Promise<void> {
  await documents.write(key, JSON.stringify(value));
}

/** Tries to change a document that others change at the same time. */
const maxTries = 8;

/**
 * Changes a document by what it says now, so that no word of another who changes it at the same time is lost. `change`
 * may be asked again; undefined leaves it as it is. Throws `ClusterUnavailable` where others are quicker every time.
 */
export async function changeDocument<K extends keyof DocumentKinds, T extends DocumentKinds[K] | undefined>(
  documents: Documents,
  key: DocumentKey<K>,
  change: (before: DocumentKinds[K] | undefined) => T,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const { value, version } = await lookAtDocument(documents, key);
    const next = change(value);
    if (next === undefined) return next;
    try {
      await replaceDocument(documents, key, next, version);
      return next;
    } catch (error) {
      if (asFailure(error).code !== 'ClusterUnavailable' || tries === maxTries) throw error;
    }
  }
}
