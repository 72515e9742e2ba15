import type { Plural } from '../../../domain/resources/kinds.ts';

/**
 * The longest names, in characters. Temporal on a SQL database takes ids of 255 characters, the schedule of a Repository
 * adds 94 to its name (`temporal-sys-scheduler:resync/`, a namespace of 63, `/`), and the verification of a RegistrySecret 71
 * (`verify/`, a namespace, `/`), which also leaves room for the suffix of its Secret. Rounded down.
 */
export const longestName: Readonly<Partial<Record<Plural, number>>> = {
  repositories: 160,
  registrysecrets: 180,
  edgesites: 63,
};

/** What is said about a name, for objects that are new: those from before the rule can still be changed and deleted. */
export function nameRules(plural: Plural): object {
  const longest = longestName[plural];
  if (longest === undefined) return {};
  const rules = [
    { holds: `self.metadata.name.size() <= ${longest}`, message: `at most ${longest} characters` },
    ...(plural === 'edgesites' ? [{ holds: "!self.metadata.name.contains('.')", message: 'no dots' }] : []),
  ];
  return {
    'x-kubernetes-validations': rules.map(({ holds, message }) => ({
      rule: `oldSelf.hasValue() || ${holds}`,
      optionalOldSelf: true,
      message: `metadata.name: ${message}`,
    })),
  };
}
