import { inspect } from 'node:util';
import type { Trace } from '../misbehaving-registry/trace.ts';

/** The forms in which a secret could turn up: raw, base64 at any offset, URL-encoded, inside JSON. */
export function formsOf(secret: string): readonly string[] {
  const inner = ['', 'x', 'xx'].map((prefix) => {
    const encoded = Buffer.from(prefix + secret)
      .toString('base64')
      .replace(/=+$/, '');
    return encoded.slice(prefix === '' ? 0 : 4, -2);
  });
  return [...new Set([secret, ...inner, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])];
}

/** Everything that an error would show in a log or a workflow history: message, stack, causes, fields. */
export function textOf(error: unknown): string {
  return `${inspect(error, { depth: 8, showHidden: true })}\n${String(error)}\n${JSON.stringify(error) ?? ''}`;
}

/** A secret and the only origins that may see it. */
export interface Canary {
  readonly secret: string;
  readonly origins: ReadonlySet<string>;
}

/** INV3 over a trace: who saw a secret that was not meant for them, in a header or an address. */
export function strayCredentials(trace: Trace, canaries: readonly Canary[]): readonly string[] {
  return trace.entries.flatMap((entry) => {
    const sent = entry.authorization ?? '';
    const decoded = sent.startsWith('Basic ') ? Buffer.from(sent.slice(6), 'base64').toString() : sent;
    const seen = `${decoded}\n${sent}\n${entry.path}\n${entry.cookie ?? ''}`;
    const strays = canaries.filter(
      ({ secret, origins }) =>
        !origins.has(entry.origin) && formsOf(secret).some((form) => seen.includes(form)),
    );
    const inPath = canaries.filter(({ secret }) => formsOf(secret).some((form) => entry.path.includes(form)));
    return [...strays, ...inPath].map(
      () => `INV3 ${entry.origin} saw a foreign secret: ${entry.method} ${entry.path}`,
    );
  });
}
