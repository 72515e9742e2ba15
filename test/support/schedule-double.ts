import { ScheduleAlreadyRunning, ScheduleNotFoundError, type Client } from '@temporalio/client';

interface Written {
  readonly spec?: object;
  readonly state?: object;
}

/** Temporal's schedules, as far as making, changing and deleting them needs; `changes` tells what was done to them. */
export class ScheduleDouble {
  readonly changes: string[] = [];
  readonly #schedules = new Map<string, Written>();

  get client(): Client {
    const schedule = {
      create: async (wanted: Written & { readonly scheduleId: string }) => {
        if (this.#schedules.has(wanted.scheduleId))
          throw new ScheduleAlreadyRunning('there already', wanted.scheduleId);
        this.#change('create', wanted.scheduleId, wanted);
      },
      getHandle: (id: string) => ({
        describe: async () => {
          const found = this.#schedules.get(id);
          if (found === undefined) throw new ScheduleNotFoundError('not there', id);
          return { spec: {}, state: {}, ...found };
        },
        update: async (change: () => Written) => this.#change('update', id, change()),
        delete: async () => {
          this.changes.push('delete');
          this.#schedules.delete(id);
        },
      }),
    };
    return {
      schedule,
      options: { loadedDataConverter: { payloadCodecs: [] } },
      withDeadline: (_deadline: number, call: () => unknown) => call(),
    } as unknown as Client;
  }

  /** What an operator does by Temporal's own means. */
  operate(id: string, state: object): void {
    this.#schedules.set(id, { ...this.#schedules.get(id), state });
  }

  stateOf(id: string): object | undefined {
    return this.#schedules.get(id)?.state;
  }

  #change(what: string, id: string, written: Written): void {
    this.changes.push(what);
    this.#schedules.set(id, written);
  }
}
