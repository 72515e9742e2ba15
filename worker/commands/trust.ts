import { chmodSync, existsSync } from 'node:fs';
import { counted } from '../../domain/counted.ts';
import { Failure } from '../../domain/failure.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseEnvelope, type Envelope } from '../../domain/trust/envelope.ts';
import { parsePublicKeyPem, type PublicKey } from '../../domain/trust/public-key.ts';
import {
  missingSignatures,
  parseRoot,
  printRoot,
  rootPayloadType,
  type TrustRoot,
} from '../../domain/trust/trust-root.ts';
import { writeFileAtomically } from '../../infra/layout/atomic-file.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import {
  addSignatures,
  generateSigningKey,
  sha256,
  signerOf,
  verifyEd25519,
  type Signer,
} from '../../infra/trust/ed25519.ts';
import { givenFile } from './given-file.ts';
import { exitCode, runCommand } from './outcome.ts';

/** Options of `imageferry trust root`. */
export interface RootOptions {
  readonly previous?: string;
  readonly rootKey: readonly string[];
  readonly bundleKey: readonly string[];
  /** Default: that of the previous root, else 1. */
  readonly rootThreshold?: string;
  /** Default: that of the previous root, else 1. */
  readonly bundleThreshold?: string;
  readonly sign: readonly string[];
  readonly resetSequence: boolean;
  readonly out: string;
}

/** Options of `imageferry trust sign`. */
export interface SignOptions {
  readonly previous?: string;
  readonly sign: readonly string[];
}

/** Options of `imageferry trust pin`. */
export interface PinOptions {
  readonly site: string;
  readonly state: string;
  readonly fingerprint?: string;
  readonly sequenceFloor?: string;
}

/** `imageferry trust keygen <name>`: writes `<name>.pem` and `<name>.pub.pem`, never over old ones. */
export function trustKeygenCommand(name: string): Promise<number> {
  return runCommand(false, async () => {
    const [privatePath, publicPath] = [`${name}.pem`, `${name}.pub.pem`];
    if (existsSync(privatePath) || existsSync(publicPath))
      throw new Failure('AlreadyExists', { subject: name });
    const { privatePem, publicPem } = generateSigningKey();
    await writeFileAtomically(privatePath, Buffer.from(privatePem), 0o600);
    chmodSync(privatePath, 0o600);
    await writeFileAtomically(publicPath, Buffer.from(publicPem));
    console.log(`${privatePath} (keep it secret)\n${publicPath}\n${parsePublicKeyPem(publicPem)}`);
    return exitCode.done;
  });
}

/**
 * `imageferry trust root`: makes the first root, or with `--previous` the one that follows it, and signs it. Exit code 3
 * where it lacks signatures yet.
 */
export function trustRootCommand(options: RootOptions): Promise<number> {
  return runCommand(false, async () => {
    const previous = options.previous === undefined ? undefined : readRoot(options.previous);
    const root = nextRoot(previous, options);
    const payload = printRoot(root);
    return finishRoot(
      options.out,
      { payloadType: rootPayloadType, payload, signatures: [] },
      previous,
      options.sign,
    );
  });
}

/** `imageferry trust sign <root>`: adds signatures to a root whose keys are not all in one place. */
export function trustSignCommand(path: string, options: SignOptions): Promise<number> {
  return runCommand(false, async () => {
    const previous = options.previous === undefined ? undefined : readRoot(options.previous);
    return finishRoot(path, parseEnvelope(givenFile(path)), previous, options.sign);
  });
}

async function finishRoot(
  path: string,
  envelope: Envelope,
  previous: TrustRoot | undefined,
  sign: readonly string[],
): Promise<number> {
  const bytes = addSignatures(envelope, readSigners(sign));
  const made = parseEnvelope(bytes);
  const root = parseRoot(made);
  for (const [index, { key }] of readSigners(sign).entries()) {
    if ([...root.root.keys, ...(previous?.root.keys ?? [])].includes(key)) continue;
    throw new Failure('InvalidRequest', { subject: sign[index] ?? '', detail: 'it is not a root key' });
  }
  await writeFileAtomically(path, bytes);
  console.log(
    `${path}: root ${root.version}, ${counted(made.signatures.length, 'signature')}, ${sha256(bytes)}`,
  );
  const missing = missingSignatures(bytes, previous, verifyEd25519);
  if (missing.length === 0) return exitCode.done;
  const lacks = missing.map(({ count, whose }) => `${counted(count, 'signature')} of ${whose}`).join(' and ');
  console.log(`no site takes it yet: it lacks ${lacks} (imageferry trust sign)`);
  return exitCode.partial;
}

const readSigners = (paths: readonly string[]): readonly Signer[] =>
  paths.map((path) => signerOf(givenFile(path).toString('utf8')));

function nextRoot(previous: TrustRoot | undefined, options: RootOptions): TrustRoot {
  const keys = (paths: readonly string[], before: readonly PublicKey[] | undefined): readonly PublicKey[] =>
    paths.length === 0 && before !== undefined ? before : paths.map(readPublicKey);
  return {
    version: (previous?.version ?? 0) + 1,
    root: {
      keys: keys(options.rootKey, previous?.root.keys),
      threshold: positive(options.rootThreshold) ?? previous?.root.threshold ?? 1,
    },
    bundle: {
      keys: keys(options.bundleKey, previous?.bundle.keys),
      threshold: positive(options.bundleThreshold) ?? previous?.bundle.threshold ?? 1,
    },
    resetsSequence: options.resetSequence,
  };
}

/** `imageferry trust pin <root>`: a site's first trust. */
export function trustPinCommand(path: string, options: PinOptions): Promise<number> {
  return runCommand(false, async () => {
    const bytes = givenFile(path);
    if (options.fingerprint !== undefined && sha256(bytes) !== options.fingerprint) {
      throw new Failure('RootInvalid', { detail: `its digest is ${sha256(bytes)}` });
    }
    const folder = new SiteFolder(options.state);
    const floor = options.sequenceFloor === undefined ? undefined : Number(options.sequenceFloor);
    if (floor !== undefined && !(Number.isSafeInteger(floor) && floor >= 0)) {
      throw new Failure('InvalidRequest', { detail: 'a sequence floor is a whole number' });
    }
    const state = await folder.pin(parseSiteName(options.site), bytes, new Date().toISOString(), floor);
    console.log(`root ${state.rootVersion} pinned for ${state.site}; this site's receipts are signed with:`);
    console.log((await folder.receiptPublicKey()).trim());
    return exitCode.done;
  });
}

const readRoot = (path: string): TrustRoot => parseRoot(parseEnvelope(givenFile(path)));
const readPublicKey = (path: string): PublicKey => parsePublicKeyPem(givenFile(path).toString('utf8'));

function positive(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Failure('InvalidRequest', { detail: 'a threshold is a whole number from 1' });
}
