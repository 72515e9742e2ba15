import dns, { type LookupAddress } from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

type Answer = readonly string[] | { readonly error: string };
type Callback = (error: Error | null, addresses?: LookupAddress[]) => void;

const system = dns.lookup;
const names = new Map<string, { asked: number; readonly answers: readonly Answer[] }>();

/**
 * Makes a name of this process resolve as told, one answer per question; the last one stays. Every other name is the
 * system's. Resolves to how often it was asked.
 */
export function resolveAs(name: string, ...answers: readonly Answer[]): () => number {
  const entry = { asked: 0, answers };
  names.set(name, entry);
  return () => entry.asked;
}

/** What `dns.lookup` is for a caller that wants all addresses, as a guarded connection does. */
function lookup(name: string, options: object, callback: Callback): void {
  const entry = names.get(name);
  if (entry === undefined) {
    system(name, { ...options, all: true }, callback);
    return;
  }
  const answer = entry.answers[Math.min(entry.asked, entry.answers.length - 1)] ?? [];
  entry.asked += 1;
  setImmediate(() => {
    if ('error' in answer) callback(Object.assign(new Error(answer.error), { code: answer.error }));
    else
      callback(
        null,
        answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  });
}

Object.assign(dns, { lookup });
syncBuiltinESMExports();
