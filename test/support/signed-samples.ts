import type { BundleStatement } from '../../domain/bundle/statement.ts';
import { layoutIndex } from '../../domain/bundle/layout-index.ts';
import { parseDigest, type Digest } from '../../domain/names/digest.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag } from '../../domain/names/tag.ts';
import { printRoot, rootPayloadType, type TrustRoot } from '../../domain/trust/trust-root.ts';
import {
  generateSigningKey,
  sha256,
  signEnvelope,
  signerOf,
  type Signer,
} from '../../infra/trust/ed25519.ts';

/** A fresh signer. */
export const newSigner = (): Signer => signerOf(generateSigningKey().privatePem);

/** A digest made of one hex digit. */
export const digestOf = (digit: string): Digest => parseDigest(`sha256:${digit.repeat(64)}`);

/** A root that these may sign. */
export function rootOf(
  version: number,
  signers: readonly Signer[],
  changes: Partial<TrustRoot> = {},
): TrustRoot {
  const set = { keys: signers.map(({ key }) => key), threshold: 1 };
  return { version, root: set, bundle: set, resetsSequence: false, ...changes };
}

/** A root's file. */
export function signRoot(root: TrustRoot, signers: readonly Signer[]): Uint8Array {
  return signEnvelope(rootPayloadType, printRoot(root), signers);
}

/** A statement that is right in itself. */
export function statementOf(changes: Partial<BundleStatement> = {}): BundleStatement {
  const repo = parseRepositoryPath('edge/app');
  const images = [
    {
      repo,
      tag: parseTag('v1'),
      digest: digestOf('a'),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      size: 10,
    },
  ];
  return {
    site: parseSiteName('plant-7'),
    sequence: 4,
    prevSequence: 3,
    prevManifestDigest: digestOf('3'),
    createdAt: '2026-11-01T00:00:00.000Z',
    expires: '2026-12-01T00:00:00.000Z',
    base: { sequence: 3, digest: digestOf('3') },
    images,
    referrers: [],
    blobs: [
      { digest: digestOf('a'), size: 10, repo },
      { digest: digestOf('b'), size: 90, repo },
    ],
    assumed: [{ digest: digestOf('c'), size: 50, repo }],
    totalBytes: 100,
    roots: [{ version: 1, digest: digestOf('1') }],
    indexDigest: sha256(layoutIndex(images, [])),
    ...changes,
  };
}
