import { createHash } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import type { Digest } from '../../domain/names/digest.ts';
import { judgeSignatures, type SignatureRule } from '../../domain/signature/judge-signatures.ts';
import type { ContentSource } from '../copy/content.ts';
import type { RepositoryEndpoint } from '../copy/engine.ts';
import { attachmentTagsKey } from '../registry/referrers.ts';
import type { RegistryClients } from '../registry/registry-client.ts';
import { RegistryStore } from '../registry/registry-store.ts';
import { verifyBySigningKey } from '../trust/signing-key-verifier.ts';
import { readSignatures } from './image-signatures.ts';

/** Proves that an image is signed as a rule asks. */
export interface ImageVerifier {
  /**
   * Looks for a good signature at each place in turn; a signature is as good wherever it lies. Throws `SignatureRequired` where
   * none has one, `SignatureInvalid` with the reason of the first that had.
   */
  verify(
    places: readonly RepositoryEndpoint[],
    digest: Digest,
    rule: SignatureRule,
    signal?: AbortSignal,
  ): Promise<void>;
}

/** Proofs that are remembered: neither a digest's signature nor a key can change, so one look is enough. */
const maxRemembered = 10_000;

/** A verifier over registries. One per process, so that an unchanged image costs no request. */
export function createImageVerifier(registries: RegistryClients): ImageVerifier {
  const proven = new Set<string>();
  const open: Open = ({ registry, path }, again) => {
    const client = registries.of(registry);
    if (again) client.forget(attachmentTagsKey(path));
    return new RegistryStore(client, path, 'source');
  };
  return {
    async verify(places, digest, rule, signal) {
      const proof = proofKey(digest, rule);
      if (proven.has(proof)) return;
      await search(looks(places, open), digest, rule, signal);
      if (proven.size >= maxRemembered) proven.clear();
      proven.add(proof);
    },
  };
}

/** A place to look at; `again` passes over what was remembered of it a moment ago. */
type Open = (place: RepositoryEndpoint, again: boolean) => ContentSource;

/** Each place as it is known, then afresh: a signature may have come since, as people sign what was just refused. */
function looks(places: readonly RepositoryEndpoint[], open: Open): readonly (() => ContentSource)[] {
  return [false, true].flatMap((again) => places.map((place) => () => open(place, again)));
}

async function search(
  places: readonly (() => ContentSource)[],
  digest: Digest,
  rule: SignatureRule,
  signal: AbortSignal | undefined,
): Promise<void> {
  let refusal: Failure | undefined;
  for (const place of places) {
    try {
      judgeSignatures(digest, await readSignatures(place(), digest, signal), rule, verifyBySigningKey);
      return;
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'Cancelled') throw error;
      const tellsMore = refusal?.code === 'SignatureRequired' && error.code === 'SignatureInvalid';
      if (refusal === undefined || tellsMore) refusal = error;
    }
  }
  throw refusal ?? new Failure('SignatureRequired', { side: 'source', subject: digest });
}

function proofKey(digest: Digest, { keys, annotations }: SignatureRule): string {
  const hash = createHash('sha256');
  for (const { der } of keys) hash.update(der);
  hash.update(JSON.stringify(annotations, Object.keys(annotations).sort()));
  return `${digest} ${hash.digest('hex')}`;
}
