import { Failure } from '../../domain/failure.ts';
import type { Documents } from '../../infra/kubernetes/documents.ts';

/** Documents in memory. */
export function memoryDocuments(): Documents {
  const texts = new Map<string, { readonly text: string; readonly version: string }>();
  let writes = 0;
  const put = (key: string, text: string): string => {
    writes += 1;
    texts.set(key, { text, version: String(writes) });
    return String(writes);
  };
  return {
    read: async (key) => texts.get(key)?.text,
    write: async (key, text) => void put(key, text),
    look: async (key) => texts.get(key) ?? {},
    replace: async (key, text, version) => {
      if (texts.get(key)?.version !== version) throw new Failure('Conflict', { subject: key });
      return put(key, text);
    },
  };
}
