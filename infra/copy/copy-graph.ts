import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { Digest } from '../../domain/names/digest.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import { stagingTag } from '../../domain/lifecycle/system-tags.ts';
import type { TagName } from '../../domain/names/tag.ts';
import { accessOf, type ContentSource, type ContentTarget } from './content.ts';
import type { CopyHooks, CopyReport } from './engine.ts';
import { levels, type GraphNode, type ImageGraph } from './image-graph.ts';
import { inParallel, pause } from './in-parallel.ts';
import type { ManifestCache } from './manifest-cache.ts';
import { moveBlob, type MoveOptions } from './move-blob.ts';
import type { BlobGuesses } from './blob-guesses.ts';
import { isCollected, type ProvenParts } from './proven-parts.ts';
import { readBack } from './read-back.ts';
import type { SingleFlight } from './single-flight.ts';
import type { StagingJanitor } from './staging-janitor.ts';
import { CopyTally } from './copy-tally.ts';
import { writeTag, type TagBefore } from './write-tag.ts';

/** What all copies of a process share. */
export interface CopyContext {
  readonly flights: SingleFlight;
  /** Brings a blob that is not there for all processes once; `waited` says that another one was at it before. Default: each brings it. */
  readonly shared?: (blob: Descriptor, bring: (waited: boolean) => Promise<void>) => Promise<void>;
  readonly proven: ProvenParts;
  readonly manifests: ManifestCache;
  /** Default: every blob is asked for. */
  readonly guesses?: BlobGuesses;
  /** Default: what other runs left behind stays. */
  readonly janitor?: StagingJanitor;
  /** Runs a blob transfer of so many bytes when all its targets have a place for it. */
  readonly limit: <T>(task: () => Promise<T>, targets: readonly ContentTarget[], bytes: number) => Promise<T>;
}

export interface GraphCopyOptions extends CopyHooks, Pick<MoveOptions, 'memory' | 'limiter'> {
  /** Written last. Default: none, only content. */
  readonly tag?: TagName;
  /** A repository of the same target, under the same credential, that may hold some of the blobs. Default: none. */
  readonly mountFrom?: readonly RepositoryPath[];
  /** Run when the graph is placed and proven, before the tag is written. Default: nothing. */
  readonly beforeTag?: () => Promise<void>;
  /** What the tag stood for before this copy. Default: not known. */
  readonly tagBefore?: TagBefore;
  /** Whether the graph leaves out children that its indexes list. Default: false. */
  readonly sparse?: boolean;
}

/** Repairs after which a target that keeps losing parts is given up. */
const maxRounds = 3;
/** Where untagged manifests are dropped, the race is harder: more rounds are worth it. */
const maxRoundsAgainstGc = 12;

/** Copies one graph between two stores, in the one safe order: blobs, children, root, read-back, fence, tag. */
export class GraphCopy {
  readonly #source: ContentSource;
  readonly #target: ContentTarget;
  readonly #graph: ImageGraph;
  readonly #context: CopyContext;
  readonly #options: GraphCopyOptions;
  readonly #tally: CopyTally;
  readonly #brought = new Set<Digest>();
  #repairs = 0;

  constructor(
    source: ContentSource,
    target: ContentTarget,
    graph: ImageGraph,
    context: CopyContext,
    options: GraphCopyOptions,
  ) {
    this.#source = source;
    this.#target = target;
    this.#graph = graph;
    this.#context = context;
    this.#options = options;
    this.#tally = new CopyTally(graph, options.onProgress);
  }

  /** Notes bytes of a blob that came to this target by a read that it shared with others. */
  shared(blob: Descriptor, read: number, sent: number): void {
    this.#tally.moved(blob, read, sent);
  }

  /** Notes that a shared read, or another repository of the target, brought the whole blob. */
  brought(blob: Descriptor): void {
    this.#brought.add(blob.digest);
    this.#context.guesses?.there(this.#target, blob.digest);
  }

  /** Bytes that were sent so far. */
  get bytesMoved(): number {
    return this.#tally.report().bytesMoved;
  }

  async run(): Promise<CopyReport> {
    const staging = this.#stagingTag();
    await this.#place(staging);
    await this.#settle(staging);
    await this.#options.beforeTag?.();
    if (this.#options.tag !== undefined) await this.#writeTag(this.#options.tag, staging);
    if (staging !== undefined) {
      await this.#target.removeTag(staging, this.#options.signal);
      await this.#context.janitor?.sweep(this.#target, this.#options.signal);
    }
    return this.#tally.report();
  }

  /** Writes the tag; where the target turns out to miss a part only now, that is repaired first. */
  async #writeTag(tag: TagName, staging: TagName | undefined): Promise<void> {
    for (;;) {
      try {
        await writeTag(this.#target, this.#rootNode(), tag, this.#options);
        this.#tally.pushed(this.#rootNode().stored.bytes.byteLength);
        this.#context.proven.add(this.#target, this.#graph.root.digest);
        return;
      } catch (error) {
        this.#countRepair(error);
        await this.#uploadLost();
        await this.#pushManifests(staging);
        await this.#settle(staging);
      }
    }
  }

  /** Throws `error` again where it is not that the target lost something, or where that happened too often. */
  #countRepair(error: unknown): void {
    const lost = error instanceof Failure && error.code === 'DestinationGC';
    if (lost && this.#options.sparse === true && this.#repairs > 0) throw sparseRefused(error);
    if (!lost || this.#repairs >= maxRounds) throw error;
    this.#distrust();
    this.#repairs += 1;
  }

  #distrust(): void {
    this.#context.proven.drop(this.#target);
    this.#context.guesses?.drop(this.#target);
  }

  /** Holds an untagged graph where the target's garbage collection would drop it. */
  #stagingTag(): TagName | undefined {
    if (this.#target.gcDeletesUntagged !== true || this.#options.tag === undefined) return undefined;
    return stagingTag(this.#graph.root.digest, Date.now());
  }

  /** Writes everything but the tag and repairs what the target loses meanwhile. */
  async #place(staging: TagName | undefined): Promise<void> {
    await inParallel(this.#graph.blobs, (blob) => this.#placeBlob(blob));
    await this.#pushManifests(staging);
    await this.#proveAndRepair(staging);
  }

  /** A collection that marked before our manifests came may sweep after they were read back: look again after it. */
  async #settle(staging: TagName | undefined): Promise<void> {
    const seconds = this.#target.gcSettleSeconds ?? 0;
    for (let lost = seconds > 0; lost;) {
      await pause(seconds * 1000, this.#options.signal);
      lost = await this.#proveAndRepair(staging);
    }
  }

  /** True where something had to be repaired. */
  async #proveAndRepair(staging: TagName | undefined): Promise<boolean> {
    const rounds = this.#target.gcDeletesUntagged === true ? maxRoundsAgainstGc : maxRounds;
    for (let round = 1; ; round += 1) {
      const lost = await readBack(this.#target, this.#unproven(), this.#context.proven, this.#options.signal);
      if (lost.blobs.length === 0 && lost.manifests.length === 0) return round > 1;
      this.#distrust();
      this.#repairs += 1;
      if (this.#repairs > rounds) {
        throw new Failure('DestinationGC', { side: 'destination', subject: this.#target.label });
      }
      await inParallel(lost.blobs, (blob) => this.#upload(blob));
      await this.#pushManifests(staging);
    }
  }

  /** Where no collection runs, reading the tag back at the end is proof enough of the root itself. */
  #unproven(): ImageGraph {
    const { tag } = this.#options;
    if (tag === undefined || isCollected(this.#target)) return this.#graph;
    const { root, manifests } = this.#graph;
    return {
      ...this.#graph,
      manifests: manifests.filter((node) => node.stored.descriptor.digest !== root.digest),
    };
  }

  async #placeBlob(blob: Descriptor): Promise<void> {
    const { signal } = this.#options;
    const key = `${this.#target.key} ${blob.digest}`;
    // Where the copy that brings it has another source, or other rights, how that one failed is not ours.
    const circle = `${accessOf(this.#source)} ${accessOf(this.#target)}`;
    const asker = signal === undefined ? { circle } : { circle, signal };
    await this.#context.flights.run(key, () => this.#placeUnshared(blob), asker);
    this.#tally.placed(blob);
  }

  async #placeUnshared(blob: Descriptor): Promise<void> {
    if (this.#brought.has(blob.digest)) return;
    const bring = async (waited: boolean): Promise<void> => {
      if (!waited || !(await this.has(blob))) await this.#upload(blob);
    };
    if (!(await this.has(blob))) await (this.#context.shared?.(blob, bring) ?? bring(false));
    if (this.#target.provesOnSight === true) this.#context.proven.add(this.#target, blob.digest);
    this.#context.guesses?.there(this.#target, blob.digest);
  }

  /** Whether the target most likely has the blob, or takes it over from another repository of its own. */
  async has(blob: Descriptor): Promise<boolean> {
    const { guesses, proven } = this.#context;
    if (proven.has(this.#target, blob.digest)) return true;
    const guess = guesses?.of(this.#target, blob.digest) ?? (await this.#hasBlob(blob));
    if (guess) return true;
    const isMounted = await this.#mount(blob);
    if (isMounted) guesses?.there(this.#target, blob.digest);
    return isMounted;
  }

  async #hasBlob(blob: Descriptor): Promise<boolean> {
    const isThere = await this.#target.hasBlob(blob, this.#options.signal);
    this.#context.guesses?.answered(this.#target, blob, isThere);
    return isThere;
  }

  async #mount(blob: Descriptor): Promise<boolean> {
    const { mountFrom, signal } = this.#options;
    for (const from of mountFrom ?? []) {
      if ((await this.#target.mounter?.mountBlob(blob, from, signal)) === true) return true;
    }
    return false;
  }

  async #upload(blob: Descriptor): Promise<void> {
    const { signal, memory, limiter } = this.#options;
    this.#tally.moved(blob, 0, 0);
    await this.#context.limit(
      () =>
        moveBlob(this.#source, this.#target, blob, {
          onBytes: (read, sent) => this.#tally.moved(blob, read, sent),
          ...(signal === undefined ? {} : { signal }),
          ...(memory === undefined ? {} : { memory }),
          ...(limiter === undefined ? {} : { limiter }),
        }),
      [this.#target],
      blob.size,
    );
  }

  /** Children before parents: a registry refuses an index whose children it does not have. */
  async #pushManifests(staging: TagName | undefined): Promise<void> {
    for (;;) {
      try {
        for (const level of levels(this.#graph)) {
          await inParallel(level, (node) => this.#pushManifest(node, staging));
        }
        return;
      } catch (error) {
        this.#countRepair(error);
        // The target misses a part that it said it had: nothing it says counts any more.
        await this.#uploadLost();
      }
    }
  }

  async #uploadLost(): Promise<void> {
    await inParallel(this.#graph.blobs, async (blob) => {
      if (!(await this.#target.proveBlob(blob, this.#options.signal))) await this.#upload(blob);
    });
  }

  #rootNode(): GraphNode {
    const root = this.#graph.manifests.at(-1);
    if (root === undefined) throw new Failure('InvalidManifest', { subject: this.#graph.root.digest });
    return root;
  }

  async #pushManifest(node: GraphNode, staging: TagName | undefined): Promise<void> {
    const { digest } = node.stored.descriptor;
    if (staging === undefined && this.#context.proven.has(this.#target, digest)) return;
    const isRoot = digest === this.#graph.root.digest;
    await this.#target.pushManifest(node.stored, isRoot ? staging : undefined, this.#options.signal);
    this.#tally.pushed(node.stored.bytes.byteLength);
  }
}

/** A registry that wants all children refuses in the same words as one that lost some. */
function sparseRefused(error: Failure): Failure {
  return new Failure('SparseRefused', {
    side: 'destination',
    ...(error.subject === undefined ? {} : { subject: error.subject }),
  });
}
