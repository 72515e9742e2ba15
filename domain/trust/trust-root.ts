import { Failure } from '../failure.ts';
import { parseStrictJson, type JsonValue } from '../image/strict-json.ts';
import { sameBytes, utf8 } from './bytes.ts';
import {
  parseEnvelope,
  requireThreshold,
  signersOf,
  type Envelope,
  type SignerSet,
  type VerifySignature,
} from './envelope.ts';
import { parsePublicKey } from './public-key.ts';
import { SignedFields } from './signed-fields.ts';

/** DSSE payload type of a trust root. */
export const rootPayloadType = 'application/vnd.imageferry.root+json';

/** Whom a site believes. Replaced only by its successor, which the old and the new root keys have signed. */
export interface TrustRoot {
  /** From 1, without gaps. */
  readonly version: number;
  /** May sign the next root. */
  readonly root: SignerSet;
  /** May sign bundles. */
  readonly bundle: SignerSet;
  /** Adopting this root forgets the committed sequence: the way out after a stolen key signed a very high one. */
  readonly resetsSequence: boolean;
}

/** The one spelling of a root: what is signed. */
export function printRoot(root: TrustRoot): Uint8Array {
  const signers = (set: SignerSet): SignerSet => ({ keys: set.keys, threshold: set.threshold });
  return utf8(
    JSON.stringify({
      rootFormat: 1,
      version: root.version,
      root: signers(root.root),
      bundle: signers(root.bundle),
      resetsSequence: root.resetsSequence,
    }),
  );
}

/** Reads a root from its envelope, whose signatures are not looked at. Throws `RootInvalid` or `WeakKey`. */
export function parseRoot(envelope: Envelope): TrustRoot {
  if (envelope.payloadType !== rootPayloadType) refuse('the payload type is not that of a root');
  const json = parseStrictJson(envelope.payload, { code: 'RootInvalid', maxDepth: 4 });
  const fields = new SignedFields(
    json,
    'root',
    ['rootFormat', 'version', 'root', 'bundle', 'resetsSequence'],
    refuse,
  );
  if (fields.count('rootFormat', 1) !== 1) refuse('its format is newer than this program');
  const root: TrustRoot = {
    version: fields.count('version', 1),
    root: parseSigners(fields.raw('root'), 'root.root'),
    bundle: parseSigners(fields.raw('bundle'), 'root.bundle'),
    resetsSequence: fields.flag('resetsSequence'),
  };
  if (!sameBytes(printRoot(root), envelope.payload)) refuse('it is not in its canonical form');
  return root;
}

function parseSigners(value: JsonValue | undefined, where: string): SignerSet {
  const fields = new SignedFields(value, where, ['keys', 'threshold'], refuse);
  const keys = fields
    .list('keys', 16)
    .map((key) => (typeof key === 'string' ? parsePublicKey(key) : refuse(`${where}: a key is not a text`)));
  const threshold = fields.count('threshold', 1);
  if (new Set(keys).size !== keys.length) refuse(`${where}: a key is listed twice`);
  if (threshold > keys.length) refuse(`${where}: fewer keys than the threshold`);
  return { keys, threshold };
}

/** Reads the first root that a person pins: it must at least carry its own threshold of signatures. */
export function pinRoot(bytes: Uint8Array, verify: VerifySignature): TrustRoot {
  const envelope = parseEnvelope(bytes);
  const root = parseRoot(envelope);
  requireRootThreshold(envelope, root.root, verify, 'its own keys');
  return root;
}

/**
 * Reads the root that follows `trusted`. Throws `Rollback` for one that is not newer, `RootInvalid` where a version is
 * skipped or a threshold of the old or of the new root keys is not met.
 */
export function succeedRoot(trusted: TrustRoot, bytes: Uint8Array, verify: VerifySignature): TrustRoot {
  const envelope = parseEnvelope(bytes);
  const next = parseRoot(envelope);
  if (next.version <= trusted.version) {
    throw new Failure('Rollback', {
      detail: `root ${next.version} is offered, root ${trusted.version} is trusted`,
    });
  }
  if (next.version !== trusted.version + 1) refuse(`root ${trusted.version + 1} is missing in between`);
  requireRootThreshold(envelope, trusted.root, verify, `the keys of root ${trusted.version}`);
  requireRootThreshold(envelope, next.root, verify, 'its own keys');
  return next;
}

/** Signatures that a root needs yet, of whose keys; the newest root that a site may trust before it is `previous`. */
export function missingSignatures(
  bytes: Uint8Array,
  previous: TrustRoot | undefined,
  verify: VerifySignature,
): readonly { readonly count: number; readonly whose: string }[] {
  const envelope = parseEnvelope(bytes);
  const root = parseRoot(envelope);
  const lack = ({ keys, threshold }: SignerSet, whose: string) => ({
    count: threshold - signersOf(envelope, keys, verify).length,
    whose,
  });
  const before = previous === undefined ? [] : [lack(previous.root, `the keys of root ${previous.version}`)];
  return [...before, lack(root.root, 'its own keys')].filter(({ count }) => count > 0);
}

function requireRootThreshold(
  envelope: Envelope,
  signers: SignerSet,
  verify: VerifySignature,
  whose: string,
): void {
  try {
    requireThreshold(envelope, signers, verify);
  } catch (cause) {
    throw new Failure('RootInvalid', { detail: `too few signatures of ${whose}`, cause });
  }
}

function refuse(detail: string): never {
  throw new Failure('RootInvalid', { detail });
}
