const patterns: readonly (readonly [RegExp, string])[] = [
  // user:password@ in a URL
  [/\/\/[^/\s@]{1,512}@/g, '//***@'],
  // everything after ? in a URL: signatures, tokens, account names
  [/(https?:\/\/[^\s?#"']{1,2048})\?[^\s"')]{0,4096}/g, '$1?***'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{4,}/gi, '$1 ***'],
  [
    /\b(authorization|password|passwd|secret|token|api[-_]?key)("?\s*[:=]\s*"?)[^\s"',;&]{1,4096}/gi,
    '$1$2***',
  ],
  // JSON Web Tokens
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{0,}/g, '***'],
];

/** Takes out of a text what looks like a credential. The second line of defence: nothing secret should get this far. */
export function redact(text: string): string {
  return patterns.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text);
}
