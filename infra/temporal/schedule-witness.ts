import type { AuditObject } from '../../domain/audit/record.ts';

/** A Schedule that is about to be made, changed or deleted. */
export interface ScheduleChange {
  readonly verb: 'set-schedule' | 'delete-schedule';
  /** What it belongs to. */
  readonly object: AuditObject;
  /** How it will be, as text. Default: it goes. */
  readonly plan?: string;
  /** Whether it comes with what it belongs to, for which nobody asked in particular. Default: no. */
  readonly isFirst?: boolean;
}

/** Stands around each change of a Schedule: is told before it is made, and sees how it ends. */
export type ScheduleWitness = <T>(change: ScheduleChange, work: () => Promise<T>) => Promise<T>;

/** Nobody looks on. */
export const noWitness: ScheduleWitness = (_change, work) => work();
