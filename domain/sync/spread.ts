import type { ObjectRef } from '../resources/meta.ts';

/**
 * Where inside its interval a Repository's schedule fires, in milliseconds: the same for the same name, and even over
 * many names, so that a thousand Repositories with one interval do not ask a registry at the same second.
 */
export function scheduleOffset(ref: ObjectRef, everyMs: number): number {
  return fnv1a(`${ref.namespace}/${ref.name}`) % everyMs;
}

/** FNV-1a, 32 bits (draft-eastlake-fnv, section 2): no security in it, only spread. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) {
    hash ^= character.codePointAt(0) ?? 0;
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash;
}
