import { Failure } from '../../domain/failure.ts';
import type { Documents } from '../../infra/kubernetes/documents.ts';
import type { StoredDocument, StoredDocuments } from '../../infra/kubernetes/stored-documents.ts';

interface Kept {
  readonly text: string;
  readonly version: string;
  readonly unownedSince?: number;
}

/** Documents in memory. */
export function memoryDocuments(): Documents & StoredDocuments {
  const texts = new Map<string, Kept>();
  let writes = 0;
  const put = (key: string, kept: Omit<Kept, 'version'>): string => {
    writes += 1;
    texts.set(key, { ...kept, version: String(writes) });
    return String(writes);
  };
  const asListed = ({ key, version }: StoredDocument): Kept | undefined => {
    const kept = texts.get(key);
    return kept?.version === version ? kept : undefined;
  };
  return {
    read: async (key) => texts.get(key)?.text,
    write: async (key, text) => void put(key, { text }),
    look: async (key) => texts.get(key) ?? {},
    replace: async (key, text, version) => {
      if (texts.get(key)?.version !== version) throw new Failure('Conflict', { subject: key });
      return put(key, { text });
    },
    async *list() {
      const listed = [...texts];
      for (const [key, { text: _, ...known }] of listed) yield { key, ...known };
    },
    mark: async (document, since) => {
      const kept = asListed(document);
      if (kept === undefined) return;
      put(document.key, { text: kept.text, ...(since === undefined ? {} : { unownedSince: since }) });
    },
    remove: async (document) => {
      if (asListed(document) !== undefined) texts.delete(document.key);
    },
  };
}
