import type { Ground } from './ground.ts';
import { measure } from './measure.ts';
import type { Peers } from './peers.ts';
import type { CaseResult } from './result.ts';
import { seedManyTags } from './seed.ts';
import { ours, type Place } from './sides.ts';

/** What every case works with. */
export interface Bench {
  readonly ground: Ground;
  readonly peers: Peers;
  readonly repetitions: number;
  /** 1 for the sizes of docs/benchmarks.md; less for a quick look. */
  readonly scale: number;
}

/** One case: measures, checks, and says what came out. */
export interface Case {
  readonly name: string;
  readonly run: (bench: Bench) => Promise<CaseResult | readonly CaseResult[]>;
}

/** A place at the source registry. */
export const sourceOf = (bench: Bench, path: string): Place => ({ domain: bench.ground.source.domain, path });
/** 1 GiB at full scale. */
export const largeBytes = (bench: Bench): number => Math.round(2 ** 30 * bench.scale);

/** Like the peers, the command has run here before: what it compiles in its first copy is kept. */
export async function warmUp(bench: Bench): Promise<void> {
  const from = sourceOf(bench, 'warm/one');
  await seedManyTags(from.domain, from.path, 1);
  await fill(bench, from, sourceOf(bench, 'warm/two'));
}

/** Copies with our own command before the clock starts. */
export async function fill(bench: Bench, from: Place, to: Place): Promise<void> {
  const side = ours(
    bench.ground.folder,
    'copy',
    '--all-tags',
    '--quiet',
    `${from.domain}/${from.path}`,
    `${to.domain}/${to.path}`,
  );
  const { exitCode, output } = await measure(side.argv, { env: side.env ?? {} });
  if (exitCode !== 0) throw new Error(`the target could not be filled: ${output}`);
}
