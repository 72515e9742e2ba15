import { asFailure } from '../../domain/failure.ts';
import type { StepAudit, StepEnd, StepFact } from '../../activities/step-audit.ts';

/** An audit of steps that only notes what it is told. */
export class NotedAudit implements StepAudit {
  readonly told: { readonly stage: string; readonly fact: StepFact; readonly end?: StepEnd }[] = [];

  async begin(fact: StepFact, stage = 'Requested'): Promise<void> {
    this.told.push({ stage, fact });
  }

  async end(fact: StepFact, end: StepEnd = {}): Promise<void> {
    this.told.push({ stage: end.reason === undefined ? 'Completed' : 'Failed', fact, end });
  }

  async around<T>(fact: StepFact, work: () => Promise<T>, ended?: (result: T) => StepEnd): Promise<T> {
    await this.begin(fact);
    try {
      const result = await work();
      await this.end(fact, ended?.(result));
      return result;
    } catch (error) {
      await this.end(fact, { reason: asFailure(error).code });
      throw error;
    }
  }
}
