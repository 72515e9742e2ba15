import { canonicalJson } from '../audit/canonical-json.ts';
import { annotationPrefix, type ObjectMeta } from '../resources/meta.ts';

/** The part of an object that people change; the status is not theirs. */
export interface ChangedObject {
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'annotations' | 'labels'>;
  readonly spec?: object;
}

/** What people ask for by an annotation, as the verb that the same call of the API has. */
const asks: Readonly<Record<string, string>> = {
  'manual-sync': 'sync',
  'cancel-sync': 'cancel-sync',
  'rollback-to': 'rollback',
  'approve-plan': 'approve',
  'run-cleanup': 'cleanup',
  'stage-bundle': 'stage',
};

/** What a change by way of the cluster is, for the audit log; undefined where nothing of it is a person's to change. */
export function changeVerb(
  operation: 'CREATE' | 'UPDATE' | 'DELETE',
  before: ChangedObject | undefined,
  after: ChangedObject | undefined,
): string | undefined {
  if (operation !== 'UPDATE') return operation.toLowerCase();
  if (before === undefined || after === undefined || hasContentOf(before, after)) return undefined;
  const asked = Object.entries(asks).find(([name]) => {
    const value = after.metadata.annotations?.[annotationPrefix + name];
    return value !== undefined && value !== before.metadata.annotations?.[annotationPrefix + name];
  });
  return asked?.[1] ?? 'update';
}

/** Whether two objects are the same in all that people change. */
export const hasContentOf = (one: ChangedObject, other: ChangedObject): boolean =>
  contentOf(one) === contentOf(other);

function contentOf({ metadata, spec }: ChangedObject): string {
  const { annotations = {}, labels = {} } = metadata;
  return canonicalJson({ annotations, labels, spec: spec ?? {} });
}
