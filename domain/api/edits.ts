import { Failure } from '../failure.ts';
import { annotationPrefix } from '../resources/meta.ts';
import { printable } from '../names/digest.ts';

/** What people may say about an object, by the name in a request and the annotation it is kept in. */
export const describingAnnotations = {
  displayName: 'display-name',
  description: 'description',
  owner: 'owner',
  supportContact: 'support-contact',
} as const;

/** An edit as it comes in: `null` removes. `metadata.annotations` is the same in Kubernetes' shape. */
export interface DescriptionEdit {
  readonly displayName?: string | null;
  readonly description?: string | null;
  readonly owner?: string | null;
  readonly supportContact?: string | null;
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string | null>> };
}

/**
 * The annotations that an edit sets or removes. Throws `InvalidRequest` for an annotation that is not one of
 * {@link describingAnnotations}: all others belong to the product or to other tools.
 */
export function editedAnnotations(edit: DescriptionEdit): Record<string, string | null> {
  const allowed = new Set(Object.values(describingAnnotations).map((key) => annotationPrefix + key));
  const result: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(edit.metadata?.annotations ?? {})) {
    if (!allowed.has(key)) refuse(`metadata.annotations: ${printable(key)} cannot be edited`);
    result[key] = value;
  }
  for (const field of ['displayName', 'description', 'owner', 'supportContact'] as const) {
    const value = edit[field];
    if (value !== undefined) result[annotationPrefix + describingAnnotations[field]] = value;
  }
  return result;
}

/** Refuses with `Immutable` an edit of fields that can only be changed by delete and create. */
export function refuseImmutable(spec: object | undefined, fields: readonly string[]): void {
  const named = fields.filter((field) => spec !== undefined && Object.hasOwn(spec, field));
  if (named.length > 0)
    throw new Failure('Immutable', { side: 'caller', subject: named.map((f) => `spec.${f}`).join(', ') });
}

function refuse(detail: string): never {
  throw new Failure('InvalidRequest', { side: 'caller', detail });
}
