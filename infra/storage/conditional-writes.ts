import { randomUUID } from 'node:crypto';
import type { ObjectStore } from './object-store.ts';

/**
 * Finds out whether the store honours `If-None-Match: *`: some older ones ignore it, and then two hubs could sign two
 * bundles with one number. Writes and deletes one small object.
 */
export async function honoursCreateOnly(store: ObjectStore): Promise<boolean> {
  const key = `probes/${randomUUID()}`;
  const bytes = Buffer.from('imageferry');
  try {
    // Refused at once where the answer of a first try was lost: only the second write says something.
    await store.write(key, bytes, { createOnly: true });
    return !(await store.write(key, bytes, { createOnly: true }));
  } finally {
    await store.delete(key);
  }
}
