import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import { sampleImage, type SampleImage } from '../support/misbehaving-registry/images.ts';
import type { MisbehavingRegistry } from '../support/misbehaving-registry/registry.ts';
import { Dice } from '../support/faults/hostile-manifests.ts';
import { heading, row, sourcePath, targetPath, type FaultWorld } from '../support/faults/world.ts';

// IMAGEFERRY_OPS=10000 runs it as long as you like.
const operations = Number(process.env['IMAGEFERRY_OPS'] ?? 400);
const tags = ['t0', 't1', 't2', 't3', 't4'] as const;

/** Everything that happened to one tag, as its one writer at a time sees it. */
interface TagHistory {
  generation: number;
  /** Generation of the last write by us, and what the tag must be now. */
  written: number;
  digest: string | undefined;
  /** Pushes by others so far: one that comes amid a write may win or lose, as registries have no compare-and-set. */
  pushes: number;
}

/** Random syncs, rollbacks, pushes by others, kills and late workers on five tags; checks each step (INV7). */
class RandomWork {
  readonly #world: FaultWorld;
  readonly #source: MisbehavingRegistry;
  readonly #target: MisbehavingRegistry;
  readonly #images: readonly SampleImage[];
  readonly #dice: Dice;
  readonly outcomes = { landed: 0, killed: 0, superseded: 0, pushed: 0 };

  constructor(
    world: FaultWorld,
    source: MisbehavingRegistry,
    target: MisbehavingRegistry,
    images: readonly SampleImage[],
    seed: number,
  ) {
    this.#world = world;
    this.#source = source;
    this.#target = target;
    this.#images = images;
    this.#dice = new Dice(seed);
  }

  async run(tag: string, count: number): Promise<void> {
    const history: TagHistory = { generation: 0, written: 0, digest: undefined, pushes: 0 };
    const late: Promise<void>[] = [];
    for (let done = 0; done < count; done += 1) {
      const kind = this.#dice.below(10);
      if (kind === 0) this.#pushByOthers(tag, history);
      else if (kind === 1) late.push(this.#sync(tag, history, { pauseMs: 5 + this.#dice.below(60) }));
      else if (kind === 2) await this.#sync(tag, history, { killMs: this.#dice.below(12) });
      else await this.#sync(tag, history, {});
      if (kind > 2)
        assert.equal(
          this.#target.repository(targetPath).tags.get(tag),
          history.digest,
          `${tag} after step ${done}`,
        );
    }
    await Promise.all(late);
    assert.equal(this.#target.repository(targetPath).tags.get(tag), history.digest, `${tag} at the end`);
  }

  #pushByOthers(tag: string, history: TagHistory): void {
    const image = this.#anyImage();
    this.#target.hold(targetPath, image, tag);
    history.digest = image.digest;
    history.pushes += 1;
    this.outcomes.pushed += 1;
  }

  /** One sync or rollback under its own generation; a later one fences it off. */
  async #sync(
    tag: string,
    history: TagHistory,
    fault: { readonly pauseMs?: number; readonly killMs?: number },
  ): Promise<void> {
    history.generation += 1;
    const generation = history.generation;
    const image = this.#anyImage();
    const controller = new AbortController();
    let pushes = history.pushes;
    const timer = fault.killMs === undefined ? undefined : setTimeout(() => controller.abort(), fault.killMs);
    const fence = async (): Promise<void> => {
      if (fault.pauseMs !== undefined) await sleep(fault.pauseMs);
      if (history.generation !== generation) throw new Failure('Superseded');
      // From here on the write may or may not happen; whoever comes next waits for it.
      history.written = generation;
      pushes = history.pushes;
    };
    try {
      await this.#world.copy(this.#source, this.#target, {
        reference: image.digest,
        tag,
        hooks: { fence, signal: controller.signal },
      });
      if (history.generation === generation) {
        history.digest =
          pushes === history.pushes ? image.digest : this.#target.repository(targetPath).tags.get(tag);
      }
      this.outcomes.landed += 1;
    } catch (error) {
      assert.ok(error instanceof Failure && ['Superseded', 'Cancelled'].includes(error.code), String(error));
      this.outcomes[error.code === 'Superseded' ? 'superseded' : 'killed'] += 1;
      // A write that was on its way when its worker died may still arrive.
      if (history.written === generation) await this.#target.quiet();
      if (history.written === generation) history.digest = this.#target.repository(targetPath).tags.get(tag);
    } finally {
      clearTimeout(timer);
    }
  }

  #anyImage(): SampleImage {
    return this.#images[this.#dice.below(this.#images.length)] ?? sampleImage('g15');
  }
}

heading('G. Histories of tags', () => {
  row(
    `G15 ${operations} random syncs, rollbacks, pushes by others, kills and late workers leave every tag where its last writer put it`,
    async (world) => {
      world.maxRequests = 60 * operations;
      const [source, target] = await Promise.all([world.registry(), world.registry()]);
      const images = Array.from({ length: 8 }, (_, index) =>
        sampleImage(`g15-${index}`, [300 + index, 40_000]),
      );
      for (const image of images) source.hold(sourcePath, image);
      const work = new RandomWork(world, source, target, images, 15);
      await Promise.all(tags.map((tag) => work.run(tag, operations / tags.length)));
      const { landed, killed, superseded, pushed } = work.outcomes;
      assert.ok(
        landed > operations / 4 && killed > 0 && superseded > 0 && pushed > 0,
        JSON.stringify(work.outcomes),
      );
    },
  );
});
