import type { SideRuns } from './contest.ts';

/** A goal that was checked. */
export interface Check {
  readonly what: string;
  readonly value: string;
  readonly met: boolean;
}

/** What one case showed. */
export interface CaseResult {
  readonly name: string;
  readonly what: string;
  readonly sides: readonly SideRuns[];
  readonly checks: readonly Check[];
}

/** Median, and the lowest and highest value. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The spread of at least one value. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return { median: middle, low: sorted[0] ?? Number.NaN, high: sorted.at(-1) ?? Number.NaN };
}

type Quantity = 'wallSeconds' | 'cpuSeconds';

/** Ours against the best peer, by the medians, with the spread of the ratios of each turn. */
export function ratioCheck(
  sides: readonly SideRuns[],
  quantity: Quantity,
  goal: number,
  onlyHashing = false,
): Check {
  const own = sides.find((side) => side.side === 'imageferry');
  const peers = sides.filter(
    (side) => side !== own && side.flaw === undefined && (!onlyHashing || side.hashes),
  );
  const best = peers.toSorted((one, other) => medianOf(one, quantity) - medianOf(other, quantity))[0];
  const name = quantity === 'wallSeconds' ? 'wall' : 'CPU';
  const what = `${name} ≤ ${goal} × ${best?.side ?? 'best peer'}${onlyHashing ? ' (best that hashes)' : ''}`;
  if (own === undefined || own.flaw !== undefined || best === undefined) {
    return { what, value: own?.flaw ?? 'no peer finished', met: false };
  }
  const ratios = spread(
    own.runs.map((run, turn) => run[quantity] / (best.runs[turn]?.[quantity] ?? Number.NaN)),
  );
  const ratio = medianOf(own, quantity) / medianOf(best, quantity);
  const value = `${ratio.toFixed(2)} (turns ${ratios.low.toFixed(2)}–${ratios.high.toFixed(2)})`;
  return { what, value, met: ratio <= goal };
}

/** A number that has to stay at or under a limit. */
export function limitCheck(what: string, value: number, limit: number, unit = ''): Check {
  return { what, value: `${Number(value.toPrecision(4))}${unit}`, met: value <= limit };
}

/** A case as a table for people. */
export function resultText(result: CaseResult): string {
  const head = `\n## ${result.name}: ${result.what}\n`;
  const rows = result.sides.map((side) => {
    if (side.flaw !== undefined)
      return `| ${side.side} | does not count: ${side.flaw.replaceAll('\n', ' ').slice(-120)} | | | |`;
    const [wall, cpu] = [
      spread(side.runs.map((run) => run.wallSeconds)),
      spread(side.runs.map((run) => run.cpuSeconds)),
    ];
    const registries = side.runs.flatMap(({ registrySeconds }) => registrySeconds ?? []);
    const beside = registries.length === 0 ? '' : span(spread(registries));
    const peak = Math.max(...side.runs.map((run) => run.peakMiB));
    return `| ${side.side} | ${span(wall)} | ${span(cpu)} | ${beside} | ${peak} |`;
  });
  const table =
    rows.length === 0
      ? []
      : ['| tool | wall s | CPU s | registries’ CPU s | peak MiB |', '|---|---|---|---|---|', ...rows, ''];
  const checks = result.checks.map(
    (check) => `- ${check.met ? 'met' : 'MISSED'}: ${check.what}: ${check.value}`,
  );
  return [head, ...table, ...checks].join('\n');
}

function span({ median, low, high }: Spread): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

function medianOf(side: SideRuns, quantity: Quantity): number {
  return spread(side.runs.map((run) => run[quantity])).median;
}
