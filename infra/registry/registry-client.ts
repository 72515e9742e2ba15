import { createHash } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import type { DialRule } from '../../domain/registry/addresses.ts';
import { originsOf, type OriginSet } from '../../domain/registry/origin.ts';
import type { ProxySettings } from '../../domain/registry/proxy.ts';
import {
  parseTokenResponse,
  maxTokenResponseBytes,
  type RegistryToken,
} from '../../domain/registry/token-response.ts';
import type { RegistryAccess } from '../copy/engine.ts';
import { SingleFlight } from '../copy/single-flight.ts';
import { pauseOf } from './answer-failure.ts';
import { Authenticator } from './authenticator.ts';
import { HostBudgets, type BudgetLimits } from './host-budget.ts';
import { KeyedLocks } from './keyed-locks.ts';
import { networkFailure } from './network-failure.ts';
import type { PaceLimits } from './read-pace.ts';
import { ReadPool } from './read-pool.ts';
import { RetryPlan } from '../copy/retry-plan.ts';
import { RegistryWarnings, type OnRegistryWarning } from './registry-warnings.ts';
import { RegistrySession } from './session.ts';
import { Transport } from './transport.ts';
import { UploadStrategies } from './upload-strategies.ts';

/** Limits of all registry traffic of a process. */
export interface RegistryLimits extends BudgetLimits, PaceLimits {
  /** Default: every host is called directly. */
  readonly proxies?: ProxySettings;
  /** Told each `Warning` of each registry once. Default: nobody is. */
  readonly onWarning?: OnRegistryWarning;
}

const shortLifeMs = 5000;
/** A proxy in front of a registry may have answered for it just once. */
const withoutApiMs = 300_000;
let clients = 0;
/** A fleet has a registry a site; what is kept of one is small while nothing moves. */
const maxClients = 2000;

/** One registry with one credential: its connections, tokens and what was learned about it. */
export class RegistryClient {
  /** No two of a process have the same. */
  readonly id: number = (clients += 1);
  readonly access: RegistryAccess;
  readonly session: RegistrySession;
  readonly reads: ReadPool;
  readonly strategies: UploadStrategies;
  readonly locks = new KeyedLocks();
  /** The question that is about to tell. */
  referrersProbe: Promise<unknown> | undefined;
  readonly #flights = new SingleFlight();
  #referrersApi = { has: false, until: 0 };
  readonly #recent = new Map<string, { readonly value: unknown; readonly until: number }>();

  constructor(
    access: RegistryAccess,
    budgets: HostBudgets,
    strategies: UploadStrategies,
    limits: RegistryLimits,
    warnings: RegistryWarnings,
  ) {
    this.access = access;
    this.strategies = strategies;
    const origins = originsOf(access);
    const transport = new Transport({
      ...(access.caBundle === undefined ? {} : { caBundle: access.caBundle }),
      ...(limits.headersTimeoutMs === undefined ? {} : { headersTimeoutMs: limits.headersTimeoutMs }),
      ...(limits.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: limits.idleTimeoutMs }),
      ...(limits.proxies === undefined ? {} : { proxies: limits.proxies }),
      ruleFor: (origin) => dialRule(origin, origins, access),
    });
    const budget = budgets.of(new URL(origins.registry).host);
    const auth = new Authenticator(origins, access.credential, (realm, authorization) =>
      fetchToken(transport, realm, authorization),
    );
    this.session = new RegistrySession(origins, transport, budget, auth, warnings);
    this.reads = new ReadPool(transport, limits);
  }

  /** Whether it has the referrers API; undefined while not known, and again a while after it did not: it may be upgraded. */
  get referrersApi(): boolean | undefined {
    return this.#referrersApi.until > performance.now() ? this.#referrersApi.has : undefined;
  }

  set referrersApi(has: boolean) {
    const until = has ? Number.POSITIVE_INFINITY : performance.now() + withoutApiMs;
    this.#referrersApi = { has, until };
  }

  /** Answers a question once for everybody who asks within five seconds. */
  async shortLived<T>(key: string, ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const known = this.#recent.get(key);
    if (known !== undefined && known.until > performance.now()) return known.value as T;
    const asked = async (): Promise<T> => {
      const value = await ask();
      this.learned(key, value);
      return value;
    };
    return this.#flights.run(key, asked, signal === undefined ? {} : { signal });
  }

  /** An answer that came along with another one. */
  learned(key: string, value: unknown): void {
    if (this.#recent.size >= 1000) this.#recent.clear();
    this.#recent.set(key, { value, until: performance.now() + shortLifeMs });
  }

  /** The answer to a question has changed by our own doing. */
  forget(key: string): void {
    this.#recent.delete(key);
  }

  close(): void {
    this.reads.close();
    this.session.transport.close();
  }
}

/** All registries that this process talks to. The budget of a host is shared by all credentials. */
export class RegistryClients {
  readonly #limits: RegistryLimits;
  readonly #budgets: HostBudgets;
  readonly #strategies = new UploadStrategies();
  readonly #warnings: RegistryWarnings;
  readonly #clients = new Map<string, RegistryClient>();

  constructor(limits: RegistryLimits = {}) {
    this.#limits = limits;
    this.#budgets = new HostBudgets(limits);
    this.#warnings = new RegistryWarnings(limits.onWarning);
  }

  of(access: RegistryAccess): RegistryClient {
    const key = accessKey(access);
    const known = this.#clients.get(key);
    if (known !== undefined) {
      this.#clients.delete(key);
      this.#clients.set(key, known);
      return known;
    }
    const [oldestKey, oldest] = this.#clients.entries().next().value ?? [];
    if (this.#clients.size >= maxClients && oldestKey !== undefined) {
      this.#clients.delete(oldestKey);
      oldest?.close();
    }
    const client = new RegistryClient(access, this.#budgets, this.#strategies, this.#limits, this.#warnings);
    this.#clients.set(key, client);
    return client;
  }

  close(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
    return Promise.resolve();
  }
}

/** Two accesses share a client only where all of it is equal; the password enters as a hash only. */
function accessKey(access: RegistryAccess): string {
  return createHash('sha256')
    .update(JSON.stringify(access, Object.keys(access).concat('username', 'password').sort()))
    .digest('hex');
}

function dialRule(origin: string, origins: OriginSet, access: RegistryAccess): DialRule {
  const declared = origin === origins.registry || [...origins.realms].some((realm) => realm === origin);
  return { declared, allowPrivate: access.allowPrivate ?? false };
}

async function fetchToken(
  transport: Transport,
  realm: URL,
  authorization: string | undefined,
): Promise<RegistryToken> {
  const retry = new RetryPlan(undefined, 5);
  for (;;) {
    try {
      return await askForToken(transport, realm, authorization);
    } catch (error) {
      await retry.next(tokenFailure(error, realm));
    }
  }
}

async function askForToken(
  transport: Transport,
  realm: URL,
  authorization: string | undefined,
): Promise<RegistryToken> {
  const subject = realm.host;
  const answer = await transport.exchange({
    method: 'GET',
    url: realm,
    headers: { 'user-agent': 'imageferry', ...(authorization === undefined ? {} : { authorization }) },
    maxBytes: maxTokenResponseBytes,
    tooLong: 'BadTokenResponse',
  });
  const detail = `HTTP ${answer.status}`;
  if (answer.ok) return parseTokenResponse(answer.body);
  if (answer.status === 401) throw new Failure('Unauthorized', { subject, detail });
  if (answer.status === 403) throw new Failure('Forbidden', { subject, detail });
  if (answer.status === 429 || answer.status >= 500) {
    const wait = pauseOf(answer);
    throw new Failure('TokenServerUnavailable', {
      subject,
      detail,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    });
  }
  throw new Failure('BadTokenResponse', { subject, detail });
}

function tokenFailure(error: unknown, realm: URL): Failure {
  const failure = networkFailure(error, { subject: realm.host });
  return failure.code === 'NetworkError' || failure.code === 'Timeout'
    ? new Failure('TokenServerUnavailable', { subject: realm.host, cause: error })
    : failure;
}
