import { counted } from '../../domain/counted.ts';
import { arrivedEntry, shownImage, withSite } from '../../domain/bundle/bundle-status.ts';
import { openInventory, type Inventory } from '../../domain/bundle/inventory.ts';
import { parseStagePlan } from '../../domain/bundle/parse-stage-plan.ts';
import { judgeReceipt, openReceipt, type Receipt, type ReceiptVerdict } from '../../domain/bundle/receipt.ts';
import { readSiteLetter, type SiteLetter } from '../../domain/bundle/site-letter.ts';
import type { BundleMark } from '../../domain/bundle/site-state.ts';
import { bundleObjectName } from '../../domain/bundle/stage-plan.ts';
import { Failure } from '../../domain/failure.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import type { SiteName } from '../../domain/names/kubernetes-name.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import { parsePublicKeyPem, type PublicKey } from '../../domain/trust/public-key.ts';
import type { ResourceClients } from '../kubernetes/cluster.ts';
import type { BundleShelf } from '../storage/bundle-shelf.ts';
import type { SiteUsage } from '../../domain/usage/site-usage.ts';
import { sha256, verifyEd25519 } from '../trust/ed25519.ts';

/** What a receipt changed. */
export interface AppliedReceipt {
  readonly receipt: Receipt;
  readonly verdict: ReceiptVerdict;
}

/** What an inventory changed: `stale` where a later one is there already. */
export interface AppliedInventory {
  readonly inventory: Inventory;
  readonly verdict: 'advance' | 'repeat' | 'stale';
}

/** Takes what sites send back. Everything is verified under the key pinned for the site (`spec.bundle.receiptKey`). */
export class SiteMail {
  readonly #shelf: BundleShelf;
  readonly #resources: ResourceClients;
  readonly #now: () => Date;

  constructor(shelf: BundleShelf, resources: ResourceClients, now: () => Date) {
    this.#shelf = shelf;
    this.#resources = resources;
    this.#now = now;
  }

  /** What a file says it is, unverified, where a key is pinned to verify it with. Throws `NoTrustRoot`, `NotFound`. */
  async read(bytes: Uint8Array): Promise<SiteLetter> {
    const letter = readSiteLetter(bytes);
    await this.#pinned(letter.site);
    return letter;
  }

  /** Takes a file, whichever it is. Resolves with what it was, in a few words. */
  async take(bytes: Uint8Array): Promise<string> {
    const { kind, site } = readSiteLetter(bytes);
    if (kind === 'inventory') {
      const { verdict } = await this.applyInventory(bytes, site);
      return `inventory of ${site}: ${verdict}`;
    }
    const { receipt, verdict } = await this.applyReceipt(bytes, site);
    return `receipt of ${site} for bundle ${receipt.sequence}: ${verdict}`;
  }

  /**
   * Takes a receipt: it moves the acknowledged base and says in every Repository that its image arrived. Throws
   * `NoTrustRoot` where the site has no pinned key, and what a receipt is refused with.
   */
  async applyReceipt(bytes: Uint8Array, name: SiteName): Promise<AppliedReceipt> {
    const [site, key] = await this.#pinned(name);
    const receipt = openReceipt(bytes, key, verifyEd25519);
    const staged = await this.#staged(name, receipt.sequence);
    const known = site.status?.acknowledged;
    const acknowledged =
      known === undefined ? undefined : { sequence: known.sequence, digest: parseDigest(known.digest) };
    // What is in use counts by its own time, also where the bundle was collected meanwhile and the rest comes too late.
    if (staged === undefined && receipt.site === name) await this.#takeUsage(name, bytes, receipt.usage);
    const verdict = judgeReceipt(receipt, name, staged, acknowledged);
    await this.#shelf.writeReceipt(receipt.site, receipt.sequence, bytes);
    await this.#takeUsage(name, bytes, receipt.usage);
    await this.#recordBundle(receipt);
    if (verdict === 'stale') return { receipt, verdict };
    await this.#recordRepositories(receipt);
    // Last: once the base has moved, a repeated receipt would have nothing left to do.
    const later = await this.#moveBase(receipt);
    if (later !== undefined) await this.#recordAgain(name, later, key);
    return { receipt, verdict };
  }

  /** Takes an inventory: what the next bundle of that kind is reckoned against. */
  async applyInventory(bytes: Uint8Array, name: SiteName): Promise<AppliedInventory> {
    const [, key] = await this.#pinned(name);
    const inventory = openInventory(bytes, key, verifyEd25519);
    if (inventory.site !== name) {
      throw new Failure('WrongAudience', { detail: `the inventory is of ${inventory.site}` });
    }
    const digest = sha256(parseEnvelope(bytes).payload);
    await this.#shelf.writeInventory(name, digest, bytes);
    await this.#takeUsage(name, bytes, inventory.usage);
    const now = this.#now().getTime();
    // Nothing was taken later than it came here: else a site's clock that was ahead once would stand before all that follow.
    const taken = Math.min(Date.parse(inventory.takenAt), now);
    const time = `${new Date(taken).toISOString().slice(0, 19)}Z`;
    let verdict: AppliedInventory['verdict'] = 'advance';
    await this.#resources.resource('edgesites').changeStatus({ name }, ({ status }) => {
      const known = status?.inventory;
      verdict = known?.digest === digest ? 'repeat' : 'advance';
      const knownTime = Date.parse(known?.time ?? '');
      if (knownTime > Date.parse(time) && knownTime <= now) verdict = 'stale';
      if (verdict !== 'advance') return undefined;
      return { ...status, inventory: { digest, time, parts: inventory.content.length } };
    });
    return { inventory, verdict };
  }

  /** The newest word about a site's usage counts, whatever letter it came in. */
  async #takeUsage(name: SiteName, bytes: Uint8Array, usage: SiteUsage | undefined): Promise<void> {
    if (usage === undefined) return;
    const digest = sha256(parseEnvelope(bytes).payload);
    await this.#shelf.writeUsage(name, digest, bytes);
    // Nothing was seen later than it came here: a site's clock that is ahead makes nothing fresher.
    const seen = new Date(Math.min(Date.parse(usage.observedAt), this.#now().getTime()));
    const observed = `${seen.toISOString().slice(0, 19)}Z`;
    const images = usage.names.length + usage.digests.length;
    await this.#resources.resource('edgesites').changeStatus({ name }, ({ status }) => {
      const known = status?.usage;
      const isLater = known !== undefined && Date.parse(known.observed) > Date.parse(observed);
      return isLater || known?.digest === digest
        ? undefined
        : { ...status, usage: { digest, observed, images } };
    });
  }

  async #pinned(name: SiteName): Promise<[EdgeSite, PublicKey]> {
    const site = await this.#resources.resource('edgesites').get({ name });
    if (site === undefined) throw new Failure('NotFound', { side: 'caller', subject: `edgesites ${name}` });
    const pem = site.spec.bundle?.receiptKey;
    if (pem !== undefined) return [site, parsePublicKeyPem(pem)];
    throw new Failure('NoTrustRoot', { side: 'caller', detail: `${name} has no spec.bundle.receiptKey` });
  }

  async #staged(site: SiteName, sequence: number): Promise<BundleMark | undefined> {
    const bytes = await this.#shelf.manifest(site, sequence);
    return bytes === undefined ? undefined : { sequence, digest: sha256(parseEnvelope(bytes).payload) };
  }

  /** Never moves it back. Resolves with the sequence of a later receipt that came meanwhile. */
  async #moveBase({ site, sequence, bundleDigest: digest }: Receipt): Promise<number | undefined> {
    let later: number | undefined;
    await this.#resources.resource('edgesites').changeStatus({ name: site }, ({ status }) => {
      const known = status?.acknowledged?.sequence ?? 0;
      later = known > sequence ? known : undefined;
      return known >= sequence
        ? undefined
        : { ...status, acknowledged: { sequence, digest, time: this.#clock() } };
    });
    return later;
  }

  /** Two receipts came at once and this, the earlier one, may have had the last word in a Repository. */
  async #recordAgain(site: SiteName, sequence: number, key: PublicKey): Promise<void> {
    const bytes = await this.#shelf.receipt(site, sequence);
    if (bytes !== undefined) await this.#recordRepositories(openReceipt(bytes, key, verifyEd25519));
  }

  async #recordBundle(receipt: Receipt): Promise<void> {
    const name = bundleObjectName(receipt.site, receipt.sequence);
    const result = `${counted(receipt.images.length, 'image')} imported`;
    await this.#resources.resource('imagebundles').changeStatus({ name }, ({ status }) => ({
      ...status,
      phase: 'Acknowledged',
      receipt: { time: this.#clock(), result },
    }));
  }

  /** The plan knows which Repository asked for what: a receipt only names what lies at the site. */
  async #recordRepositories({ site, sequence, images: arrived }: Receipt): Promise<void> {
    const value = await this.#shelf.plan(site, sequence);
    if (value === undefined) return;
    const there = new Set(arrived.map(({ repo, tag }) => `${repo}:${tag}`));
    const { images } = parseStagePlan(value, `${site}/${sequence}`);
    for (const own of Map.groupBy(images, ({ ref }) => `${ref.namespace}/${ref.name}`).values()) {
      const [first] = own;
      if (first === undefined) continue;
      await this.#resources.resource('repositories').changeStatus(first.ref, ({ spec, status }) => {
        const image = shownImage(own, spec.tag);
        if (image === undefined || !there.has(`${image.repo}:${image.tag}`)) return undefined;
        const entry = arrivedEntry(status ?? {}, site, image.root.digest, this.#clock());
        return entry === undefined ? undefined : { ...status, sites: withSite(status?.sites ?? [], entry) };
      });
    }
  }

  #clock(): string {
    return `${this.#now().toISOString().slice(0, 19)}Z`;
  }
}
