import type { Client } from '@temporalio/client';
import { ScheduleNotFoundError } from '@temporalio/client';

interface Written {
  readonly state?: { readonly note?: string };
}

/** Temporal's schedules, as far as those of one cron expression need them; `changes` tells what was done to them. */
export class ScheduleDouble {
  readonly changes: string[] = [];
  readonly #notes = new Map<string, string>();

  get client(): Client {
    const note = (id: string, { state }: Written): void => void this.#notes.set(id, state?.note ?? '');
    const schedule = {
      create: async (wanted: Written & { readonly scheduleId: string }) => {
        this.changes.push('create');
        note(wanted.scheduleId, wanted);
      },
      getHandle: (id: string) => ({
        describe: async () => {
          const found = this.#notes.get(id);
          if (found === undefined) throw new ScheduleNotFoundError('not there', id);
          return { state: { note: found } };
        },
        update: async (change: () => Written) => {
          this.changes.push('update');
          note(id, change());
        },
        delete: async () => {
          this.changes.push('delete');
          this.#notes.delete(id);
        },
      }),
    };
    return {
      schedule,
      withDeadline: (_deadline: number, call: () => unknown) => call(),
    } as unknown as Client;
  }
}
