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

/** Replaces a document. */
export async function writeDocument<K extends keyof DocumentKinds>(
  documents: Documents,
  { key }: DocumentKey<K>,
  value: DocumentKinds[K],
): Promise<void> {
  await documents.write(key, JSON.stringify(value));
}
