/**
 * 64 bits that stand for a text, in hex: to see whether something that people edit is still the same. No defence against
 * somebody who looks for a collision.
 */
export function fingerprint(text: string): string {
  // Two 32-bit FNV-1a hashes over UTF-16 code units, from different offsets.
  let [low, high] = [0x811c9dc5, 0x9e3779b9];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ ((unit << 7) | (unit >> 9)), 0x85ebca6b) ^ (low >>> 13);
  }
  return [low, high].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
