import type { Documents } from '../../infra/kubernetes/documents.ts';

/** Documents in memory. */
export function memoryDocuments(): Documents {
  const texts = new Map<string, string>();
  return {
    read: async (key) => texts.get(key),
    write: async (key, text) => void texts.set(key, text),
  };
}
