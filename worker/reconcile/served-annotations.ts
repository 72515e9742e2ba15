import type { Plural, ResourceOf } from '../../domain/resources/kinds.ts';
import type { ObjectKey, ResourceClient } from '../../infra/kubernetes/cluster.ts';

/**
 * Takes annotations away that were acted on: those that still say what they said in `served`. A new wish that came
 * meanwhile stays.
 */
export async function takeServed<P extends Plural>(
  client: Pick<ResourceClient<P>, 'patchAsRead'>,
  key: ObjectKey,
  served: ResourceOf[P],
  names: readonly string[],
): Promise<void> {
  const before = served.metadata.annotations ?? {};
  await client.patchAsRead(key, served.metadata.uid ?? '', ({ metadata: { annotations = {} } }) => {
    const same = names.filter(
      (name) => annotations[name] !== undefined && annotations[name] === before[name],
    );
    if (same.length === 0) return undefined;
    return { metadata: { annotations: Object.fromEntries(same.map((name) => [name, null])) } };
  });
}
