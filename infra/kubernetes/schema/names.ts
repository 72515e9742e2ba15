import { longestName } from '../../../domain/names/new-name.ts';
import type { Plural } from '../../../domain/resources/kinds.ts';

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
