import { Failure } from '../failure.ts';
import { printable } from '../names/digest.ts';

const months = 'jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec'.split(',');
const days = 'sun,mon,tue,wed,thu,fri,sat'.split(',');

interface Field {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const fields: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 7, names: days },
];

/**
 * Checks a cron expression of five fields: minute, hour, day of month, month, day of week, each `*`, a number, a range
 * or a list, with an optional `/step`; names for months and days. Temporal runs it, and takes a time where day of month
 * AND day of week match. Schedules of policies are in UTC, where every local time exists exactly once (faults.md S03).
 * Throws `InvalidRule`.
 */
export function parseCron(text: string): string {
  const parts = text.trim().split(/\s+/);
  const valid =
    parts.length === fields.length &&
    text.length <= 120 &&
    fields.every((field, index) => (parts[index] ?? '').split(',').every((entry) => isEntry(entry, field)));
  if (valid) return parts.join(' ');
  throw new Failure('InvalidRule', {
    side: 'caller',
    subject: printable(text),
    detail: 'expected five cron fields such as 0 3 * * *',
  });
}

function isEntry(entry: string, field: Field): boolean {
  const [range = '', step, ...more] = entry.split('/');
  if (more.length > 0 || (step !== undefined && !isCount(step, field.max))) return false;
  if (range === '*') return true;
  const ends = range.split('-').map((end) => valueOf(end, field));
  const [from, to = from] = ends;
  return ends.length <= 2 && from !== undefined && to !== undefined && from <= to;
}

function valueOf(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + min;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

const isCount = (text: string, max: number): boolean =>
  /^\d{1,2}$/.test(text) && Number(text) > 0 && Number(text) <= max;
