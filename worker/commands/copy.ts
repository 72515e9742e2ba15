import { homedir } from 'node:os';
import { join } from 'node:path';
import { asFailure, Failure } from '../../domain/failure.ts';
import { humanSize } from '../../domain/human-size.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import type { TagName } from '../../domain/names/tag.ts';
import { BandwidthLimiter } from '../../infra/copy/bandwidth.ts';
import { BlobGuesses } from '../../infra/copy/blob-guesses.ts';
import { accessOf } from '../../infra/copy/content.ts';
import type { CopyContext } from '../../infra/copy/copy-graph.ts';
import { copyImageToMany, type ImageCopyOptions, type TargetOutcome } from '../../infra/copy/copy-image.ts';
import { ManifestCache } from '../../infra/copy/manifest-cache.ts';
import { ProvenParts } from '../../infra/copy/proven-parts.ts';
import { SingleFlight } from '../../infra/copy/single-flight.ts';
import { StagingJanitor } from '../../infra/copy/staging-janitor.ts';
import { UploadFiles } from '../../infra/copy/upload-files.ts';
import { Slots } from '../../infra/registry/slots.ts';
import { exitCode, exitCodeOf, failureJson, runCommand } from './outcome.ts';
import { OutputLines } from './output-lines.ts';
import { ProgressLine } from './progress-line.ts';
import { readPlace, type OpenPlace, type Place, type TaggedStore } from './place.ts';
import { readBandwidth, Registries, type RegistryOptions } from './registries.ts';

/** Options of `imageferry copy`. */
export interface CopyOptions extends RegistryOptions {
  readonly allTags: boolean;
  readonly platform: readonly string[];
  readonly platformMode: 'sparse' | 'rewrite';
  readonly mountFrom: readonly string[];
  readonly bandwidth?: string;
  readonly recheck: boolean;
  readonly referrers: boolean;
}

/** Images of one `--all-tags` run that are worked on at once. */
const lanes = 32;
const transfers = 8;

/** `imageferry copy`: resolves with the exit code. */
export function copyCommand(
  source: string,
  targets: readonly string[],
  options: CopyOptions,
): Promise<number> {
  return runCommand(options.json, async (signal) => {
    const registries = new Registries(options);
    try {
      return await new CopyRun(registries, options, signal).run(readPlace(source), targets.map(readPlace));
    } finally {
      await registries.clients.close();
    }
  });
}

interface Destination extends OpenPlace {
  readonly place: Place;
}

class CopyRun {
  readonly #registries: Registries;
  readonly #options: CopyOptions;
  readonly #signal: AbortSignal;
  readonly #lines = new OutputLines();
  readonly #flights = new SingleFlight();
  readonly #slots = new Slots(transfers);
  readonly #proven = new ProvenParts();
  readonly #guesses = new BlobGuesses();
  readonly #janitor = new StagingJanitor();
  readonly #manifests = new ManifestCache();
  readonly #uploads = new UploadFiles(uploadFolder(process.env));
  readonly #limiter: BandwidthLimiter | undefined;

  constructor(registries: Registries, options: CopyOptions, signal: AbortSignal) {
    this.#registries = registries;
    this.#options = options;
    this.#signal = signal;
    const bandwidth = readBandwidth(options.bandwidth);
    this.#limiter = bandwidth === undefined ? undefined : new BandwidthLimiter(bandwidth);
  }

  async run(source: Place, targets: readonly Place[]): Promise<number> {
    const from = await source.open(this.#registries, 'source');
    const destinations = await Promise.all(
      targets.map(async (place) => ({ place, ...(await place.open(this.#registries, 'destination')) })),
    );
    try {
      if (!this.#options.allTags) return await this.#copyOne(from, source, destinations);
      return await this.#copyAll(from, source, destinations);
    } finally {
      this.#lines.flush();
      await Promise.all(destinations.map((destination) => destination.close()));
    }
  }

  async #copyAll(from: OpenPlace, source: Place, destinations: readonly Destination[]): Promise<number> {
    const { store } = from;
    const tags = [...(await store.listTags(this.#signal))];
    if (tags.length === 0) throw new Failure('RepositoryNotFound', { side: 'source', subject: store.label });
    const absent = await this.#absentTags(destinations);
    const codes = new Set<number>();
    const lane = async (): Promise<void> => {
      for (let tag = tags.pop(); tag !== undefined; tag = tags.pop()) {
        const name = tag;
        const one = {
          ...from,
          resolve: (signal: AbortSignal) => store.resolve(name, signal),
        };
        const place = { ...source, tag: name, print: () => source.print(undefined, name) };
        codes.add(await this.#copyOneOfAll(one, place, destinations, absent(tag)));
      }
    };
    await Promise.all(Array.from({ length: Math.min(lanes, tags.length) }, lane));
    const bad = [...codes].filter((code) => code !== exitCode.done);
    return bad.length === 0 ? exitCode.done : codes.has(exitCode.done) ? exitCode.partial : (bad[0] ?? 1);
  }

  /** A tag that cannot be read does not end the others. */
  async #copyOneOfAll(
    from: OpenPlace,
    source: Place,
    destinations: readonly Destination[],
    absentAt: ReadonlySet<TaggedStore>,
  ): Promise<number> {
    try {
      return await this.#copyOne(from, source, destinations, absentAt);
    } catch (error) {
      const failure = asFailure(error);
      if (this.#signal.aborted || failure.code === 'Cancelled') throw error;
      const name = source.print();
      this.#lines.print(
        this.#options.json
          ? JSON.stringify({ source: name, failure: failureJson(failure) })
          : `${name}: ${failure.code}: ${failure.message}`,
      );
      return exitCodeOf(failure);
    }
  }

  /** One list per target tells which tags need not be asked for one by one. */
  async #absentTags(
    destinations: readonly Destination[],
  ): Promise<(tag: TagName) => ReadonlySet<TaggedStore>> {
    const listed = await Promise.all(
      destinations.map(async ({ store }) => ({ store, tags: new Set(await store.listTags(this.#signal)) })),
    );
    for (const { store, tags } of listed) if (tags.size === 0) this.#guesses.isNew(store);
    return (tag) => new Set(listed.filter(({ tags }) => !tags.has(tag)).map(({ store }) => store));
  }

  /** A tag that no target has is read at once; otherwise its digest is asked for first, which counts as no pull. */
  async #resolve(from: OpenPlace, source: Place, isNew: boolean): Promise<Descriptor | undefined> {
    if (!isNew || source.tag === undefined || source.digest !== undefined) return from.resolve(this.#signal);
    const manifest = await from.store.readTag(source.tag, this.#signal);
    if (manifest !== undefined) this.#manifests.hold(accessOf(from.store), manifest);
    return manifest?.descriptor;
  }

  async #copyOne(
    from: OpenPlace,
    source: Place,
    destinations: readonly Destination[],
    absentAt: ReadonlySet<TaggedStore> = new Set(),
  ): Promise<number> {
    const started = performance.now();
    const name = source.print();
    const line = new ProgressLine(name, this.#options.quiet || this.#options.json || this.#options.allTags);
    const root = await this.#resolve(from, source, absentAt.size === destinations.length);
    if (root === undefined) {
      const code = source.digest === undefined ? 'TagNotFound' : 'ManifestNotFound';
      throw new Failure(code, { side: 'source', subject: name });
    }
    const outcomes = await Promise.all(
      [...groupByTag(source, destinations)].map(([tag, stores]) =>
        this.#copyTo(from.store, stores, root, {
          absentAt,
          ...(tag === undefined ? {} : { tag }),
          onProgress: (progress) => line.show(progress),
        }),
      ),
    );
    line.clear();
    return this.#tell(name, root.digest, outcomes.flat(), performance.now() - started);
  }

  async #copyTo(
    from: TaggedStore,
    stores: readonly TaggedStore[],
    root: Descriptor,
    options: Pick<ImageCopyOptions, 'absentAt' | 'tag' | 'onProgress'>,
  ): Promise<readonly TargetOutcome[]> {
    const all = { ...this.#copyOptions(), ...options };
    const outcomes = await copyImageToMany(
      from,
      stores.map((target) => ({ target })),
      root,
      this.#context(),
      all,
    );
    if (options.tag !== undefined) return outcomes;
    // Without a tag the image has to be findable all the same.
    for (const store of stores) {
      const outcome = outcomes.find(({ target }) => target === store);
      if (outcome === undefined || !('report' in outcome) || store.list === undefined) continue;
      const placed = await store.resolve(outcome.report.root, this.#signal);
      if (placed !== undefined) await store.list(placed);
    }
    return outcomes;
  }

  #context(): CopyContext {
    return {
      flights: this.#flights,
      proven: this.#proven,
      guesses: this.#guesses,
      janitor: this.#janitor,
      manifests: this.#manifests,
      limit: (task) => this.#slots.run(task, this.#signal),
    };
  }

  #copyOptions(): ImageCopyOptions {
    const { platform, platformMode, mountFrom, recheck, referrers } = this.#options;
    return {
      signal: this.#signal,
      memory: this.#uploads,
      recheck,
      referrers,
      mountFrom: mountFrom.map(parseRepositoryPath),
      ...(this.#limiter === undefined ? {} : { limiter: this.#limiter }),
      ...(platform.length === 0 ? {} : { platforms: { mode: platformMode, platforms: platform } }),
    };
  }

  #tell(name: string, digest: string, outcomes: readonly TargetOutcome[], elapsedMs: number): number {
    const seconds = Math.round(elapsedMs) / 1000;
    if (this.#options.json) {
      const targets = outcomes.map((each) => ({
        target: each.target.label,
        ...('report' in each ? { report: each.report } : { failure: failureJson(each.failure) }),
      }));
      this.#lines.print(JSON.stringify({ source: name, digest, seconds, targets }));
    } else for (const each of outcomes) this.#lines.print(outcomeText(name, each, seconds));
    return codeOf(outcomes);
  }
}

/** Targets that get the same tag share one read. */
function groupByTag(
  source: Place,
  destinations: readonly Destination[],
): Map<TagName | undefined, TaggedStore[]> {
  const groups = new Map<TagName | undefined, TaggedStore[]>();
  for (const { place, store } of destinations) {
    const tag = place.tag ?? (place.digest === undefined ? source.tag : undefined);
    groups.set(tag, [...(groups.get(tag) ?? []), store]);
  }
  return groups;
}

function outcomeText(name: string, outcome: TargetOutcome, seconds: number): string {
  const where = `${name} → ${outcome.target.label}`;
  if ('failure' in outcome) return `${where}: ${outcome.failure.code}: ${outcome.failure.message}`;
  const { bytesMoved, bytesReused, manifestsPushed, referrers, referrersMissing } = outcome.report;
  if (manifestsPushed === 0) return `${where}: unchanged`;
  const attached = referrers === 0 ? '' : `, ${referrers} attachments`;
  const gap = referrersMissing === 0 ? '' : `, ${referrersMissing} attachments MISSING`;
  return `${where}: ${humanSize(bytesMoved)} moved, ${humanSize(bytesReused)} reused${attached}${gap} in ${seconds}s`;
}

function codeOf(outcomes: readonly TargetOutcome[]): number {
  const failures = outcomes.flatMap((each) => ('failure' in each ? [each.failure] : []));
  const [first] = failures;
  if (first !== undefined) return failures.length < outcomes.length ? exitCode.partial : exitCodeOf(first);
  const gap = outcomes.some((each) => 'report' in each && each.report.referrersMissing > 0);
  return gap ? exitCode.partial : exitCode.done;
}

function uploadFolder(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'imageferry', 'uploads');
}
