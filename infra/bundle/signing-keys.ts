import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { Failure } from '../../domain/failure.ts';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { signerOf, type Signer } from '../trust/ed25519.ts';

/** Name of the Secret, in the system namespace, that bundles are signed with. */
export const signingSecretName = 'imageferry-bundle-signing';

/** Who signs bundles, and the roots that say so. */
export interface SigningKeys {
  /** Read at every use, so that a rotation needs no restart. Throws `NoTrustRoot` where there is none. */
  read(): Promise<{
    readonly signers: readonly Signer[];
    /** Oldest first, from version 1. */
    readonly roots: readonly { readonly version: number; readonly bytes: Uint8Array }[];
  }>;
}

/** Keys of a Secret: every `*.pem` is a private key that signs, every `root.<n>.json` a root. */
export function createSigningKeys(config: KubeConfig): SigningKeys {
  const core = config.makeApiClient(CoreV1Api);
  return {
    async read() {
      const secret = await core
        .readNamespacedSecret({ namespace: systemNamespace, name: signingSecretName })
        .catch((cause: unknown) => {
          throw new Failure('NoTrustRoot', {
            side: 'cluster',
            subject: `${systemNamespace}/${signingSecretName}`,
            cause,
          });
        });
      const files = Object.entries(secret.data ?? {}).map(
        ([name, text]) => [name, Buffer.from(text, 'base64')] as const,
      );
      return signingKeysOf(new Map(files));
    },
  };
}

/** The same from files by name. Throws `NoTrustRoot` where a root or a key is missing. */
export function signingKeysOf(
  files: ReadonlyMap<string, Uint8Array>,
): Awaited<ReturnType<SigningKeys['read']>> {
  const signers = [...files]
    .filter(([name]) => name.endsWith('.pem') && !name.endsWith('.pub.pem'))
    .map(([, bytes]) => signerOf(Buffer.from(bytes).toString('utf8')));
  const roots = [...files].flatMap(([name, bytes]) => {
    const version = /^root\.([1-9][0-9]{0,8})\.json$/.exec(name)?.[1];
    return version === undefined ? [] : [{ version: Number(version), bytes: Uint8Array.from(bytes) }];
  });
  roots.sort((one, other) => one.version - other.version);
  if (signers.length === 0 || roots.length === 0) {
    throw new Failure('NoTrustRoot', { side: 'cluster', subject: signingSecretName });
  }
  return { signers, roots };
}
