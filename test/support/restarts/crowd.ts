import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../domain/failure.ts';
import { apiGroup, apiVersion } from '../../../domain/resources/meta.ts';
import type { ResourceClients } from '../../../infra/kubernetes/cluster.ts';

/** What was asked for by name, and acknowledged by the API server. */
export interface Wanted {
  readonly name: string;
  alive: boolean;
  interval: string;
  suspended: boolean;
  /** The last value of `manual-sync`, and how many there were in this life of the name. */
  manual: string | undefined;
  manuals: number;
  /** Changes of the spec in this life of the name. */
  edits: number;
}

const version = `${apiGroup}/${apiVersion}` as const;
export const namespace = 'default';
/** Repositories that exist at the same time. */
const crowdSize = 20;
/** Requests of one kind per Repository: fewer than the records that a status keeps. */
const mostRequests = 5;
const patience = 180_000;

/** People who create, change and delete Repositories and RegistrySecrets, and go on until the cluster says yes. */
export class Crowd {
  readonly repositories = new Map<string, Wanted>();
  /** RegistrySecrets that nobody uses, by name; true while they exist. */
  readonly secrets = new Map<string, boolean>();
  readonly #clients: ResourceClients;
  readonly #paths: readonly string[];
  readonly #registry: { readonly domain: string; readonly username: string; readonly password: string };
  #count = 0;

  constructor(clients: ResourceClients, paths: readonly string[], registry: Crowd['registry']) {
    this.#clients = clients;
    this.#paths = paths;
    this.#registry = registry;
  }

  get registry(): { readonly domain: string; readonly username: string; readonly password: string } {
    return this.#registry;
  }

  /** Does one thing after the other, a few a second, until the signal. */
  async bustle(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#act();
      await sleep(randomInt(50, 400), undefined, { signal }).catch(() => undefined);
    }
  }

  async createSecret(name: string): Promise<void> {
    await insisting(() =>
      this.#clients.resource('registrysecrets').create({
        apiVersion: version,
        kind: 'RegistrySecret',
        metadata: { name, namespace },
        spec: { ...this.#registry, provider: 'other' },
      }),
    );
  }

  async create(name: string): Promise<Wanted> {
    const interval = randomInt(5) === 0 ? '10s' : '1h';
    const path = this.#paths[randomInt(this.#paths.length)] ?? '';
    await insisting(() =>
      this.#clients.resource('repositories').create({
        apiVersion: version,
        kind: 'Repository',
        metadata: { name, namespace },
        spec: { repository: path, tag: '1', registryRef: { name: 'hub' }, syncInterval: interval },
      }),
    );
    const wanted = {
      name,
      alive: true,
      interval,
      suspended: false,
      manual: undefined,
      manuals: 0,
      edits: 0,
    };
    this.repositories.set(name, wanted);
    return wanted;
  }

  async #act(): Promise<void> {
    const alive = [...this.repositories.values()].filter((wanted) => wanted.alive);
    const one = alive[randomInt(Math.max(1, alive.length))];
    const dice = randomInt(10);
    if (one === undefined || (dice < 3 && alive.length < crowdSize)) return this.#createAnother();
    if (dice < 5) return this.#requestSync(one);
    if (dice < 7) return this.#edit(one);
    if (dice < 8) return this.#churnSecret();
    await this.#delete(one);
  }

  /** A name of its own, or one that somebody had before. */
  async #createAnother(): Promise<void> {
    const free = [...this.repositories.values()].filter((wanted) => !wanted.alive);
    const again = randomInt(3) === 0 ? free[randomInt(Math.max(1, free.length))]?.name : undefined;
    this.#count += 1;
    await this.create(again ?? `r${this.#count}`);
  }

  async #requestSync(wanted: Wanted): Promise<void> {
    if (wanted.manuals >= mostRequests) return;
    this.#count += 1;
    const value = String(this.#count);
    await this.#patch(wanted.name, { metadata: { annotations: { 'theriseunion.io/manual-sync': value } } });
    wanted.manual = value;
    wanted.manuals += 1;
  }

  async #edit(wanted: Wanted): Promise<void> {
    if (wanted.edits >= mostRequests) return;
    const suspended = randomInt(3) === 0 ? !wanted.suspended : wanted.suspended;
    const interval = suspended === wanted.suspended ? `${randomInt(2, 90)}h` : wanted.interval;
    await this.#patch(wanted.name, { spec: { syncInterval: interval, suspend: suspended } });
    wanted.edits += 1;
    Object.assign(wanted, { interval, suspended });
  }

  async #delete(wanted: Wanted): Promise<void> {
    await insisting(() => this.#clients.resource('repositories').delete({ namespace, name: wanted.name }));
    wanted.alive = false;
  }

  async #churnSecret(): Promise<void> {
    const alive = [...this.secrets].filter(([, exists]) => exists).map(([name]) => name);
    const [name] = alive;
    if (name !== undefined && (alive.length > 3 || randomInt(2) === 0)) {
      await insisting(() => this.#clients.resource('registrysecrets').delete({ namespace, name }));
      this.secrets.set(name, false);
      return;
    }
    this.#count += 1;
    await this.createSecret(`s${this.#count}`);
    this.secrets.set(`s${this.#count}`, true);
  }

  async #patch(name: string, patch: object): Promise<void> {
    await insisting(() => this.#clients.resource('repositories').patch({ namespace, name }, patch));
  }
}

/** Goes on until the API server answers; what an earlier try did already counts as done. */
async function insisting(call: () => Promise<unknown>): Promise<void> {
  for (const end = performance.now() + patience; ; await sleep(250)) {
    try {
      await call();
      return;
    } catch (error) {
      if (error instanceof Failure && error.code === 'AlreadyExists') return;
      if (performance.now() > end || (error instanceof Failure && error.code === 'InvalidRequest'))
        throw error;
    }
  }
}
