import { withSite } from '../../domain/bundle/bundle-status.ts';
import {
  blobFile,
  indexFile,
  layoutFile,
  manifestFile,
  rootFile,
  type BundleFile,
} from '../../domain/bundle/file-set.ts';
import { ociLayoutBytes } from '../../domain/bundle/layout-index.ts';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import {
  claimedSite,
  judgeReceipt,
  openReceipt,
  type Receipt,
  type ReceiptVerdict,
} from '../../domain/bundle/receipt.ts';
import { bundleObjectName } from '../../domain/bundle/stage-plan.ts';
import { Failure } from '../../domain/failure.ts';
import { parseDigest } from '../../domain/names/digest.ts';
import type { SiteName } from '../../domain/names/kubernetes-name.ts';
import type { EdgeSite } from '../../domain/resources/edge-site.ts';
import { chooseSites } from '../../domain/sync/site-choice.ts';
import { sitePath } from '../../domain/sync/site-path.ts';
import { parseEnvelope } from '../../domain/trust/envelope.ts';
import { parsePublicKeyPem } from '../../domain/trust/public-key.ts';
import type { ResourceClients } from '../kubernetes/cluster.ts';
import { planTar, streamTar } from '../layout/tar-plan.ts';
import type { BundleShelf } from '../storage/bundle-shelf.ts';
import { sha256, verifyEd25519 } from '../trust/ed25519.ts';

/** A bundle as one deterministic tar, any part of which can be sent. */
export interface BundleArchiveStream {
  readonly size: number;
  /** Of the signed statement: the archive's strong validator, as all its bytes follow from it. */
  readonly digest: string;
  /** Bytes from `from` up to, not including, `to`. */
  open(from: number, to: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** What a receipt changed. */
export interface AppliedReceipt {
  readonly receipt: Receipt;
  readonly verdict: ReceiptVerdict;
}

/** What the API asks about bundles. */
export class BundleDesk {
  readonly #shelf: BundleShelf;
  readonly #resources: ResourceClients;
  readonly #now: () => Date;

  constructor(shelf: BundleShelf, resources: ResourceClients, now: () => Date) {
    this.#shelf = shelf;
    this.#resources = resources;
    this.#now = now;
  }

  /** The archive of a published bundle. Throws `BundleNotFound`. */
  async archive(site: SiteName, sequence: number): Promise<BundleArchiveStream> {
    const manifest = await this.#shelf.manifest(site, sequence);
    const index = await this.#shelf.index(site, sequence);
    if (manifest === undefined || index === undefined) {
      throw new Failure('BundleNotFound', { subject: `${site}/${sequence}` });
    }
    const { payload } = parseEnvelope(manifest);
    const statement = parseStatement(parseEnvelope(manifest));
    const roots = (await this.#shelf.roots()).slice(0, statement.roots.length);
    const small = new Map<string, Uint8Array>([
      [manifestFile, manifest],
      ...roots.map(({ version, bytes }): [string, Uint8Array] => [rootFile(version), bytes]),
      [layoutFile, ociLayoutBytes],
      [indexFile, index],
    ]);
    const files = [...small].map(([name, bytes]) => ({ name, size: bytes.byteLength }));
    const blobs = statement.blobs.map((blob) => ({ name: blobFile(blob), size: blob.size }));
    const plan = planTar([...files, ...blobs]);
    const part = (signal?: AbortSignal) => (file: BundleFile, from: number, length: number) =>
      partOf(small.get(file.name), from, length) ?? this.#shelf.store.stream(file.name, from, length, signal);
    return {
      size: plan.size,
      digest: sha256(payload),
      open: (from, to, signal) => streamTar(plan, from, to, part(signal)),
    };
  }

  /**
   * Takes a receipt: verified under the key pinned for its site, it moves the acknowledged base and says in every
   * Repository that its image arrived. Throws `NoTrustRoot` where the site has no pinned key, and what a receipt is refused with.
   */
  async applyReceipt(bytes: Uint8Array, expected?: SiteName): Promise<AppliedReceipt> {
    const name = expected ?? claimedSite(bytes);
    const site = await this.#resources.resource('edgesites').get({ name });
    if (site === undefined) throw new Failure('NotFound', { side: 'caller', subject: `edgesites ${name}` });
    const pem = site.spec.bundle?.receiptKey;
    if (pem === undefined) {
      throw new Failure('NoTrustRoot', { side: 'caller', detail: `${name} has no spec.bundle.receiptKey` });
    }
    const receipt = openReceipt(bytes, parsePublicKeyPem(pem), verifyEd25519);
    const staged = await this.#staged(name, receipt.sequence);
    const known = site.status?.acknowledged;
    const acknowledged =
      known === undefined ? undefined : { sequence: known.sequence, digest: parseDigest(known.digest) };
    const verdict = judgeReceipt(receipt, name, staged, acknowledged);
    await this.#shelf.writeReceipt(receipt.site, receipt.sequence, bytes);
    await this.#recordBundle(receipt);
    if (verdict === 'stale') return { receipt, verdict };
    await this.#recordRepositories(site, receipt);
    // Last: once the base has moved, a repeated receipt would have nothing left to do.
    await this.#moveBase(site, receipt);
    return { receipt, verdict };
  }

  async #staged(site: SiteName, sequence: number): Promise<Parameters<typeof judgeReceipt>[2]> {
    const bytes = await this.#shelf.manifest(site, sequence);
    return bytes === undefined ? undefined : { sequence, digest: sha256(parseEnvelope(bytes).payload) };
  }

  async #moveBase(site: EdgeSite, receipt: Receipt): Promise<void> {
    const { name, uid } = site.metadata;
    const acknowledged = {
      sequence: receipt.sequence,
      digest: receipt.bundleDigest,
      time: this.#clock(),
    };
    await this.#resources
      .resource('edgesites')
      .updateStatus({ name }, uid ?? '', ({ status }) => ({ ...status, acknowledged }));
  }

  async #recordBundle(receipt: Receipt): Promise<void> {
    const bundles = this.#resources.resource('imagebundles');
    const name = bundleObjectName(receipt.site, receipt.sequence);
    const bundle = await bundles.get({ name });
    if (bundle === undefined) return;
    await bundles.applyStatus({ name }, bundle.metadata.uid ?? '', {
      ...bundle.status,
      phase: 'Acknowledged',
      receipt: { time: this.#clock(), result: `${receipt.images.length} images imported` },
    });
  }

  async #recordRepositories(site: EdgeSite, receipt: Receipt): Promise<void> {
    const sites = await this.#resources.resource('edgesites').list();
    const arrived = new Map(receipt.images.map(({ repo, tag, digest }) => [`${repo}:${tag}`, digest]));
    const repositories = this.#resources.resource('repositories');
    for (const { metadata, spec } of await repositories.list()) {
      const { name } = site.metadata;
      if (!chooseSites(spec, sites).offline.some((each) => each.metadata.name === name)) continue;
      const digest = arrived.get(`${sitePath(site, spec.repository)}:${spec.tag}`);
      if (digest === undefined) continue;
      const key = { namespace: metadata.namespace ?? '', name: metadata.name };
      const entry = { site: name, state: 'Synced' as const, digest, confirmed: this.#clock() };
      await repositories.updateStatus(key, metadata.uid ?? '', ({ status }) => {
        const before = status?.sites ?? [];
        const known = before.find((each) => each.site === name);
        // A newer bundle may be on its way: this one arrived all the same, and the entry waits for the newer.
        if (known?.digest !== undefined && known.digest !== digest) return undefined;
        return { ...status, sites: withSite(before, entry) };
      });
    }
  }

  #clock(): string {
    return `${this.#now().toISOString().slice(0, 19)}Z`;
  }
}

function partOf(
  bytes: Uint8Array | undefined,
  from: number,
  length: number,
): AsyncIterable<Uint8Array> | undefined {
  if (bytes === undefined) return undefined;
  const part = bytes.subarray(from, from + length);
  return (async function* once() {
    yield part;
  })();
}
