import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { counted } from '../../domain/counted.ts';
import { Failure } from '../../domain/failure.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import { parsePublicKeyPem, type PublicKey } from '../../domain/trust/public-key.ts';
import { parseRoot, printRoot, rootPayloadType, type TrustRoot } from '../../domain/trust/trust-root.ts';
import { writeFileAtomically } from '../../infra/layout/atomic-file.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import { generateSigningKey, sha256, signEnvelope, signerOf } from '../../infra/trust/ed25519.ts';
import { exitCode, runCommand } from './outcome.ts';

/** Options of `imageferry trust root`. */
export interface RootOptions {
  readonly previous?: string;
  readonly rootKey: readonly string[];
  readonly bundleKey: readonly string[];
  readonly rootThreshold: string;
  readonly bundleThreshold: string;
  readonly sign: readonly string[];
  readonly resetSequence: boolean;
  readonly out: string;
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

/** `imageferry trust root`: makes the first root, or with `--previous` the one that follows it, and signs it. */
export function trustRootCommand(options: RootOptions): Promise<number> {
  return runCommand(false, async () => {
    const previous = options.previous === undefined ? undefined : readRoot(options.previous);
    const root = nextRoot(previous, options);
    const signers = options.sign.map((path) => signerOf(readFileSync(path, 'utf8')));
    const bytes = signEnvelope(rootPayloadType, printRoot(root), signers);
    parseRoot(parseEnvelope(bytes));
    await writeFileAtomically(options.out, bytes);
    console.log(
      `${options.out}: root ${root.version}, ${counted(signers.length, 'signature')}, ${sha256(bytes)}`,
    );
    return exitCode.done;
  });
}

function nextRoot(previous: TrustRoot | undefined, options: RootOptions): TrustRoot {
  const keys = (paths: readonly string[], before: readonly PublicKey[] | undefined): readonly PublicKey[] =>
    paths.length === 0 && before !== undefined ? before : paths.map(readPublicKey);
  return {
    version: (previous?.version ?? 0) + 1,
    root: { keys: keys(options.rootKey, previous?.root.keys), threshold: positive(options.rootThreshold) },
    bundle: {
      keys: keys(options.bundleKey, previous?.bundle.keys),
      threshold: positive(options.bundleThreshold),
    },
    resetsSequence: options.resetSequence,
  };
}

/** `imageferry trust pin <root>`: a site's first trust. */
export function trustPinCommand(path: string, options: PinOptions): Promise<number> {
  return runCommand(false, async () => {
    const bytes = readFileSync(path);
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

const readRoot = (path: string): TrustRoot => parseRoot(parseEnvelope(readFileSync(path)));
const readPublicKey = (path: string): PublicKey => parsePublicKeyPem(readFileSync(path, 'utf8'));

function positive(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Failure('InvalidRequest', { detail: 'a threshold is a whole number from 1' });
}
