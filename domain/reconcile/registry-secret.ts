import { annotationPrefix } from '../resources/meta.ts';
import { encryptedPassword, type RegistrySecret } from '../resources/registry-secret.ts';
import { scheduleOffset } from '../sync/spread.ts';

/** What a RegistrySecret asks for, as it stands. */
export interface RegistrySecretWish {
  /** The credential to put into its Secret, before anything else is written. Default: none came in. */
  readonly credential?: { readonly username: string; readonly password: string };
  /**
   * JSON merge patch that hides the password and mirrors the spec in annotations, of just the version that was looked at:
   * an old one does not know yet how a verification ended. Default: nothing to write.
   */
  readonly patch?: object;
  /** Whether the connection should be verified now. */
  readonly verify: boolean;
}

/** Milliseconds after which a registry is verified again. */
const verifyEveryMs = 120_000;
/** `kubectl apply` keeps the whole object, password included, in here. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Decides what a RegistrySecret asks for. `now` is in epoch milliseconds. Verification is due when the object was never
 * verified and two minutes after the last time; each object's own share of a quarter of that keeps many from being
 * verified in the same second.
 */
export function registrySecretWish(secret: RegistrySecret, now: number): RegistrySecretWish {
  const { username, password } = secret.spec;
  const annotations = wantedAnnotations(secret);
  const plain = password !== encryptedPassword;
  const { resourceVersion } = secret.metadata;
  const patch = {
    metadata: { annotations, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    ...(plain ? { spec: { password: encryptedPassword } } : {}),
  };
  const asWanted = Object.keys(annotations).length === 0 && !plain;
  return {
    ...(plain ? { credential: { username, password } } : {}),
    ...(asWanted ? {} : { patch }),
    verify: verificationDue(secret, now),
  };
}

/** Annotations that are missing, wrong, or hold a password; only those, so that an unchanged object is not written. */
function wantedAnnotations({ metadata, spec }: RegistrySecret): Record<string, string | null> {
  const present = metadata.annotations ?? {};
  const mirrors = { domain: spec.domain, username: spec.username, provider: spec.provider };
  const wanted: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(mirrors)) {
    if (present[annotationPrefix + name] !== value) wanted[annotationPrefix + name] = value;
  }
  if (present[`${annotationPrefix}verify-status`] === undefined) {
    wanted[`${annotationPrefix}verify-status`] = 'untested';
  }
  const applied = present[lastApplied];
  const hidden = applied === undefined ? undefined : withoutPassword(applied);
  if (hidden !== applied) wanted[lastApplied] = hidden ?? null;
  return wanted;
}

/** The annotation with its password hidden; null, which removes it, where it cannot be read. */
export function withoutPassword(applied: string): string | null {
  try {
    const object = JSON.parse(applied) as { spec?: { password?: unknown } };
    if (object.spec?.password === undefined || object.spec.password === encryptedPassword) return applied;
    object.spec.password = encryptedPassword;
    return `${JSON.stringify(object)}\n`;
  } catch {
    return null;
  }
}

function verificationDue({ metadata, status }: RegistrySecret, now: number): boolean {
  const last = Date.parse(status?.lastVerified ?? '');
  const ref = { namespace: metadata.namespace ?? '', name: metadata.name };
  return Number.isNaN(last) || now - last >= verifyEveryMs + scheduleOffset(ref, verifyEveryMs / 4);
}
