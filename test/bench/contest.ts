import { incomplete, type Ground } from './ground.ts';
import { measure, type Measured } from './measure.ts';
import type { Place, Side } from './sides.ts';

/** The runs of one tool in one case. */
export interface SideRuns {
  readonly side: string;
  readonly hashes: boolean;
  readonly runs: readonly Measured[];
  /** Why a run does not count: it failed, or its result was not complete. Default: all count. */
  readonly flaw?: string | undefined;
}

/** What a case needs to know to run its sides in turn. */
export interface Contest {
  readonly ground: Ground;
  readonly repetitions: number;
  /** Builds the sides for a target that is new in every run. */
  readonly sides: (target: Place) => readonly Side[];
  /** What has to be at the target afterwards. */
  readonly source: Place;
  readonly targetPath: string;
  /** A target that all runs share, as none changes it. Default: a new one each. */
  readonly standing?: Place;
  /** Done before the clock starts, on the new target. Default: nothing. */
  readonly prepare?: (target: Place) => Promise<void>;
  /** Where the tools find the target, if not directly. Default: directly. */
  readonly through?: (target: Place) => Promise<Place>;
}

/**
 * Runs the tools one after another, in another order each time, each into a new registry, and checks what each left
 * there. A tool that fails once is out.
 */
export async function contest(plan: Contest): Promise<readonly SideRuns[]> {
  const runs = new Map<string, Measured[]>();
  const flaws = new Map<string, string>();
  const hashes = new Map<string, boolean>();
  const count = plan.sides({ domain: '127.0.0.1:1', path: plan.targetPath }).length;
  for (let turn = 0; turn < plan.repetitions; turn += 1) {
    for (let step = 0; step < count; step += 1) {
      const target = plan.standing ?? {
        domain: (await plan.ground.freshTarget()).domain,
        path: plan.targetPath,
      };
      await plan.prepare?.(target);
      const shown = (await plan.through?.(target)) ?? target;
      const side = plan.sides(shown)[(step + turn) % count];
      if (side !== undefined && !flaws.has(side.name)) {
        hashes.set(side.name, side.hashes ?? true);
        await oneRun(plan, side, target, runs, flaws);
      }
      await plan.ground.sweep();
    }
  }
  return [...hashes].map(([side, hashed]) => ({
    side,
    hashes: hashed,
    runs: runs.get(side) ?? [],
    flaw: flaws.get(side),
  }));
}

async function oneRun(
  plan: Contest,
  side: Side,
  target: Place,
  runs: Map<string, Measured[]>,
  flaws: Map<string, string>,
): Promise<void> {
  const before = plan.ground.registrySeconds();
  const run = await measure(side.argv, side.env === undefined ? {} : { env: side.env });
  const measured = { ...run, registrySeconds: plan.ground.registrySeconds() - before };
  const failed = measured.exitCode !== 0;
  if (!failed) runs.set(side.name, [...(runs.get(side.name) ?? []), measured]);
  const flaw = failed
    ? `exit ${measured.exitCode}: ${measured.output.slice(-300)}`
    : await incomplete(plan.source, target);
  if (flaw !== undefined) flaws.set(side.name, flaw);
}
