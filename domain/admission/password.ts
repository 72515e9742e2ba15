import { withoutPassword } from '../reconcile/registry-secret.ts';
import type { ObjectMeta } from '../resources/meta.ts';
import { encryptedPassword } from '../resources/registry-secret.ts';
import { pointerSegment, type PatchStep } from './review.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** A RegistrySecret on its way into the cluster. */
export interface IncomingSecret {
  readonly metadata: Pick<ObjectMeta, 'annotations'>;
  readonly spec: { readonly username: string; readonly password: string };
}

/** What to do with the password of an incoming RegistrySecret. */
export type PasswordVerdict =
  | { readonly kind: 'none' }
  /** Store it first, then let the object in with `patch`. */
  | { readonly kind: 'store'; readonly patch: readonly PatchStep[] }
  /** It is the stored one: only hide it. */
  | { readonly kind: 'hide'; readonly patch: readonly PatchStep[] }
  /** A credential cannot be edited in place. */
  | { readonly kind: 'refuse' };

/**
 * Decides over the password of a RegistrySecret that is created (`stored` is not looked at: a left-over Secret of an
 * earlier object is replaced) or updated, where only the stored password may come in again, as `kubectl apply` of an
 * unchanged file sends it.
 */
export function passwordVerdict(
  incoming: IncomingSecret,
  operation: 'CREATE' | 'UPDATE',
  stored: string | undefined,
): PasswordVerdict {
  const patch = hidingPatch(incoming);
  if (incoming.spec.password === encryptedPassword) {
    return patch.length === 0 ? { kind: 'none' } : { kind: 'hide', patch };
  }
  if (operation === 'CREATE' || stored === undefined) return { kind: 'store', patch };
  return stored === incoming.spec.password ? { kind: 'hide', patch } : { kind: 'refuse' };
}

function hidingPatch({ metadata, spec }: IncomingSecret): PatchStep[] {
  const steps: PatchStep[] = [];
  if (spec.password !== encryptedPassword) {
    steps.push({ op: 'replace', path: '/spec/password', value: encryptedPassword });
  }
  const applied = metadata.annotations?.[lastApplied];
  if (applied === undefined) return steps;
  const hidden = withoutPassword(applied);
  const path = `/metadata/annotations/${pointerSegment(lastApplied)}`;
  if (hidden === null) steps.push({ op: 'remove', path });
  else if (hidden !== applied) steps.push({ op: 'replace', path, value: hidden });
  return steps;
}
