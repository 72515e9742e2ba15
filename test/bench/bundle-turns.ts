import type { SideRuns } from './contest.ts';
import type { Measured } from './measure.ts';
import { limitCheck, ratioCheck, spread, type CaseResult, type Check } from './result.ts';

/** Not a step: the store without us, for comparison. */
export const storeAlone = 'store alone';

type Taken = Pick<Measured, 'wallSeconds' | 'cpuSeconds' | 'peakMiB'>;

/** What all turns took, by step and side. */
export class Turns {
  readonly #runs = new Map<string, Map<string, Measured[]>>();
  readonly #disk = new Map<string, { peak: number; carried: number }>();
  readonly #notes = new Map<string, number>();
  readonly #flaws: string[] = [];

  add(step: string, side: string, taken: Taken): void {
    const sides = this.#runs.get(step) ?? new Map<string, Measured[]>();
    this.#runs.set(step, sides);
    const { wallSeconds, cpuSeconds, peakMiB } = taken;
    const run = { exitCode: 0, output: '', wallSeconds, cpuSeconds, peakMiB };
    sides.set(side, [...(sides.get(side) ?? []), run]);
  }

  disk(step: string, side: string, peak: number, carried: number): void {
    this.#disk.set(`${step} ${side}`, { peak, carried });
  }

  note(what: string, value: number): void {
    this.#notes.set(what, Math.max(Math.abs(value), this.#notes.get(what) ?? 0));
  }

  flaw(step: string, missing: string | undefined): void {
    if (missing !== undefined) this.#flaws.push(`${step}: ${missing}`);
  }

  results(): CaseResult[] {
    return ['stage', 'stage next', 'fetch', 'fetch next', 'import', 'import next'].map((step) => {
      const sides = this.#sides(step);
      return {
        name: step,
        what: what[step] ?? step,
        sides,
        checks: [...this.#ratio(step, sides), ...this.#extras(step)],
      };
    });
  }

  #sides(step: string): SideRuns[] {
    return [...(this.#runs.get(step) ?? [])].map(([side, runs]) => {
      const disk = this.#disk.get(`${step} ${side}`);
      const sizes =
        disk === undefined ? '' : ` (carried ${mega(disk.carried)}, peak disk ${mega(disk.peak)})`;
      return { side: side === 'imageferry' ? side : side + sizes, hashes: true, runs };
    });
  }

  #ratio(step: string, sides: readonly SideRuns[]): Check[] {
    return step.startsWith('fetch') ? [] : [ratioCheck(sides, 'wallSeconds', 0.9)];
  }

  #storeAlone(): Check {
    const walls = (this.#runs.get(storeAlone)?.get('imageferry') ?? []).map((run) => run.wallSeconds);
    const { median, low, high } = spread(walls);
    const value = `${median.toFixed(2)} s (${low.toFixed(2)}–${high.toFixed(2)})`;
    return {
      what: 'bare PUTs of the same files into the store, from memory, four at a time',
      value,
      met: true,
    };
  }

  #extras(step: string): Check[] {
    const note = (name: string): number => this.#notes.get(name) ?? Number.NaN;
    const own = this.#disk.get(`${step} imageferry`);
    const sizes: Check[] =
      own === undefined
        ? []
        : [
            {
              what: 'carried, peak disk of the carrier',
              value: `${mega(own.carried)}, ${mega(own.peak)}`,
              met: true,
            },
          ];
    if (step === 'stage') {
      return [
        ...sizes,
        this.#storeAlone(),
        limitCheck('bytes of scratch disk at the hub', note('scratch'), 0),
        limitCheck('bytes that a second site reads upstream', note('second'), 0),
      ];
    }
    if (step === 'stage next')
      return [...sizes, limitCheck('bytes carried beyond what changed', note('extra'), 0)];
    if (step === 'import')
      return [{ what: 'all is there', value: this.#flaws.join(), met: this.#flaws.length === 0 }];
    return sizes;
  }
}

const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const what: Readonly<Record<string, string>> = {
  stage: 'a release of 20 images from upstream, ready to be carried',
  'stage next': 'the next release: one layer of each changed',
  fetch: 'the bundle onto the disk that is carried (a peer’s staging ends there)',
  'fetch next': 'the delta onto the disk',
  import: 'from the disk into the site’s registry',
  'import next': 'the delta into the registry that has the release',
};
