import { Failure } from '../failure.ts';
import type { Plural } from '../resources/kinds.ts';
import { printable } from './digest.ts';
import { parseObjectName, parseSiteName, type ObjectName } from './kubernetes-name.ts';

/**
 * The longest names, in characters. Temporal on a SQL database takes ids of 255 characters: the schedule of a Repository
 * adds 94 to its name (`temporal-sys-scheduler:resync/`, a namespace of 63, `/`), that of an ImageCleanupPolicy 104, and
 * the verification of a RegistrySecret 71 (`verify/`, a namespace, `/`), which also leaves room for the suffix of its
 * Secret. Rounded down. A site's name is a DNS label: it is part of a task queue, and a folder.
 */
export const longestName: Readonly<Partial<Record<Plural, number>>> = {
  repositories: 160,
  registrysecrets: 180,
  imagecleanuppolicies: 150,
  edgesites: 63,
};

/**
 * The name of an object to create, by the same rule that the CRDs have for whoever creates it with kubectl. What was
 * created before the rule keeps its name, and is read by `parseObjectName`. Throws `InvalidName`.
 */
export function parseNewName(plural: Plural, text: string): ObjectName {
  const longest = longestName[plural] ?? 253;
  if (text.length > longest) {
    const detail = `metadata.name: at most ${longest} characters`;
    throw new Failure('InvalidName', { side: 'caller', subject: printable(text), detail });
  }
  if (plural === 'edgesites') parseSiteName(text);
  return parseObjectName(text);
}
