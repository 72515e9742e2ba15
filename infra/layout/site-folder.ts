import { appendFile, chmod, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { firstState, parseState, printState, type SiteState } from '../../domain/bundle/site-state.ts';
import { rootFile } from '../../domain/bundle/file-set.ts';
import { Failure } from '../../domain/failure.ts';
import type { SiteName } from '../../domain/names/kubernetes-name.ts';
import { sameBytes } from '../../domain/trust/bytes.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import { parseRoot, pinRoot, type TrustRoot } from '../../domain/trust/trust-root.ts';
import { generateSigningKey, signerOf, verifyEd25519, type Signer } from '../trust/ed25519.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { syncFolder } from '../disk/make-folder.ts';
import { mediaFailure } from '../disk/media-failure.ts';

const stateFile = 'state.json';
const keyFile = 'receipt-key.pem';
const publicKeyFile = 'receipt-key.pub.pem';

/** What a site remembers between imports: trusted roots, state, its receipt key, receipts, and what people overrode. */
export class SiteFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Pins a site's first trust. Where roots are there but the state is not, it was lost: a person then has to name the
   * sequence that the site may not go back behind. Pinning the very same once more ends what was cut off, brings back a
   * newest root whose file got lost, and mends a clock that was ahead as long as nothing was imported. Throws
   * `AlreadyExists` where another trust is pinned, `StateLost` without a floor, `Rollback` for an older root than the
   * state names.
   */
  async pin(site: SiteName, bytes: Uint8Array, now: string, floor?: number): Promise<SiteState> {
    const root = pinRoot(bytes, verifyEd25519);
    const known = await this.#known();
    const isFirst = (await this.#rootVersions()).length === 0;
    if (known !== undefined && !(isFirst && known.site === site)) {
      if (known.site === site && floor === undefined && (await this.#isPinned(known, root, bytes)))
        return this.#withClock(known, now);
      throw new Failure('AlreadyExists', {
        subject: `root ${known.rootVersion} for ${known.site} is pinned here`,
      });
    }
    if (!isFirst && floor === undefined) {
      throw new Failure('StateLost', { detail: 'name the last sequence with --sequence-floor' });
    }
    if (known !== undefined && root.version < known.rootVersion) throw older(root.version, known.rootVersion);
    const least = Math.max(floor ?? 0, known?.committedSequence ?? 0);
    return this.#pinWith(least, root, bytes, { site, now, isFirst });
  }

  /** A root without a state is a state that was lost; a state without a root is a pin that was cut off. */
  async #pinWith(
    floor: number,
    root: TrustRoot,
    bytes: Uint8Array,
    { site, now, isFirst }: { readonly site: SiteName; readonly now: string; readonly isFirst: boolean },
  ): Promise<SiteState> {
    const { version } = isFirst ? root : await this.#pinAgain(root, bytes);
    const state = firstState(site, version, now, floor);
    await this.#ensureKey();
    await this.writeState(state);
    if (isFirst) await this.storeRoot(root, bytes);
    await this.note(`trust pinned: root ${version}, sequence floor ${floor}`, now);
    return state;
  }

  /** Whether it is the very trust that is pinned here. Where only the file of the newest root is gone, this brings it back. */
  async #isPinned(known: SiteState, root: TrustRoot, bytes: Uint8Array): Promise<boolean> {
    const stored = await this.#read(rootFile(root.version));
    if (stored !== undefined) return sameBytes(stored, bytes);
    const newest = Math.max(0, ...(await this.#rootVersions()));
    if (root.version !== known.rootVersion || newest > known.rootVersion) return false;
    await this.storeRoot(root, bytes);
    return true;
  }

  /**
   * Which root counts when the state was lost: the newest of the trust that is pinned once more. Of another trust no newer
   * root may stay, as the newest is what is believed.
   */
  async #pinAgain(root: TrustRoot, bytes: Uint8Array): Promise<TrustRoot> {
    const stored = await this.#read(rootFile(root.version));
    if (stored !== undefined && isSameRoot(stored, bytes)) return this.root();
    await this.storeRoot(root, bytes);
    for (const version of await this.#rootVersions()) {
      if (version > root.version) await rm(join(this.path, rootFile(version)));
    }
    await syncFolder(join(this.path, 'roots'));
    return root;
  }

  /** Before the first import nothing but the site's own clock at its pin is known: a person may have set it right since. */
  async #withClock(known: SiteState, now: string): Promise<SiteState> {
    const isAhead = Date.parse(known.maxSeenTime) > Date.parse(now);
    const receipts = await readdir(join(this.path, 'receipts')).catch(ignoreMissing);
    if (!isAhead || known.pending !== undefined || receipts !== undefined) return known;
    const state = { ...known, maxSeenTime: now };
    await this.writeState(state);
    await this.note(`the clock at the pin was ahead: ${known.maxSeenTime}`, now);
    return state;
  }

  /** The state where there is one; one that cannot be read is as good as lost. */
  async #known(): Promise<SiteState | undefined> {
    const bytes = await this.#read(stateFile);
    if (bytes === undefined) return undefined;
    try {
      return parseState(bytes);
    } catch {
      return undefined;
    }
  }

  /** The state. Throws `NoTrustRoot` where nothing was ever pinned, `StateLost` where roots are there and it is not. */
  async state(): Promise<SiteState> {
    const bytes = await this.#read(stateFile);
    if (bytes !== undefined) return parseState(bytes);
    const pinned = (await this.#rootVersions()).length > 0;
    throw new Failure(pinned ? 'StateLost' : 'NoTrustRoot', {
      detail: pinned ? 'pin again with --sequence-floor' : 'pin one with: imageferry trust pin',
    });
  }

  /**
   * The newest stored root. A crash may have left one that the state does not name yet: it was verified before it was
   * stored, so it counts. One that the state names and that is not there any more is missed: an older one may name keys
   * that were stolen. Throws `NoTrustRoot`, `StateLost`.
   */
  async root(): Promise<TrustRoot> {
    const newest = Math.max(0, ...(await this.#rootVersions()));
    const bytes = newest === 0 ? undefined : await this.#read(rootFile(newest));
    if (bytes === undefined)
      throw new Failure('NoTrustRoot', { detail: 'pin one with: imageferry trust pin' });
    const named = (await this.#known())?.rootVersion ?? 0;
    if (newest < named) {
      throw new Failure('StateLost', { detail: `${rootFile(named)} is missing: pin that root once more` });
    }
    return parseRoot(parseEnvelope(bytes));
  }

  /** Stores a verified root; before it is used. */
  async storeRoot(root: TrustRoot, bytes: Uint8Array): Promise<void> {
    await writeFileAtomically(join(this.path, rootFile(root.version)), bytes);
  }

  async writeState(state: SiteState): Promise<void> {
    await writeFileAtomically(join(this.path, stateFile), printState(state));
  }

  /** The site's own key, which signs its receipts. */
  async receiptSigner(): Promise<Signer> {
    const pem = await this.#read(keyFile);
    if (pem === undefined) throw new Failure('StateLost', { detail: `${keyFile} is missing` });
    return signerOf(Buffer.from(pem).toString('utf8'));
  }

  async receiptPublicKey(): Promise<string> {
    return Buffer.from((await this.#read(publicKeyFile)) ?? new Uint8Array()).toString('utf8');
  }

  async writeReceipt(sequence: number, bytes: Uint8Array): Promise<string> {
    const path = join(this.path, 'receipts', `${sequence}.json`);
    await writeFileAtomically(path, bytes);
    return path;
  }

  async readReceipt(sequence: number): Promise<Uint8Array | undefined> {
    return this.#read(join('receipts', `${sequence}.json`));
  }

  /** Writes down what a person decided against a check. */
  async note(what: string, now: string): Promise<void> {
    await appendFile(join(this.path, 'decisions.log'), `${now} ${what}\n`).catch((error: unknown) => {
      throw mediaFailure(error, 'decisions.log');
    });
  }

  async #ensureKey(): Promise<void> {
    if ((await this.#read(keyFile)) !== undefined) return;
    const { privatePem, publicPem } = generateSigningKey();
    await writeFileAtomically(join(this.path, publicKeyFile), Buffer.from(publicPem));
    await writeFileAtomically(join(this.path, keyFile), Buffer.from(privatePem), 0o600);
    await chmod(join(this.path, keyFile), 0o600);
  }

  async #rootVersions(): Promise<number[]> {
    const names = await readdir(join(this.path, 'roots')).catch(ignoreMissing);
    return (names ?? []).flatMap((name) => {
      const version = /^root\.([1-9][0-9]{0,8})\.json$/.exec(name)?.[1];
      return version === undefined ? [] : [Number(version)];
    });
  }

  async #read(name: string): Promise<Uint8Array | undefined> {
    return readFile(join(this.path, name)).catch(ignoreMissing);
  }
}

/** Signatures may have been added meanwhile; what was signed is what counts. */
function isSameRoot(stored: Uint8Array, bytes: Uint8Array): boolean {
  try {
    return sameBytes(parseEnvelope(stored).payload, parseEnvelope(bytes).payload);
  } catch {
    return false;
  }
}

const older = (offered: number, trusted: number): Failure =>
  new Failure('Rollback', { detail: `root ${offered} is offered, root ${trusted} was trusted` });

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw mediaFailure(error, 'site folder');
}
