import { Failure } from '../../domain/failure.ts';
import type { FailureCode } from '../../domain/failure-catalogue.ts';
import { redirectGate, type OriginSet, type WebAddress } from '../../domain/registry/origin.ts';
import type { TokenClaims } from '../../domain/registry/token-claims.ts';
import { AddressSpace } from './address.ts';
import { answerFailure, pauseOf, type RequestSubject } from './answer-failure.ts';
import type { Authenticator, Scope } from './authenticator.ts';
import type { HostBudget } from './host-budget.ts';
import type { HttpAnswer } from './http-answer.ts';
import { networkFailure } from './network-failure.ts';
import type { RegistryWarnings } from './registry-warnings.ts';
import { RetryPlan } from '../copy/retry-plan.ts';
import { orStopped } from '../copy/single-flight.ts';
import type { Exchange } from './exchange.ts';
import type { Transport } from './transport.ts';

/** One request of the registry API. */
export interface Call {
  readonly method: Exchange['method'];
  /** Path and query below the registry's origin, or a whole URL that went through a gate. */
  readonly url: string | WebAddress;
  /** Default: no scope (the base endpoint). */
  readonly scope?: Scope;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Bytes of the answer that are read. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** What a longer answer is called. Default: `UnexpectedResponse`. */
  readonly tooLong?: FailureCode;
  readonly about: RequestSubject;
  /** Statuses besides 2xx that are handed back instead of thrown. Default: none. */
  readonly accept?: readonly number[];
  /** Tries in all; 1 where the caller repeats more than this call. Default: by the failure's code. */
  readonly tries?: number;
  /** True where it is never sent again once it may have arrived: the caller looks first. Default: false. */
  readonly once?: boolean;
  /** Milliseconds that the answer may take. Default: the connection's own time-out. */
  readonly answerTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What our own reader calls a connection that went wrong before it was an answer. */
const brokenConnections: ReadonlySet<FailureCode> = new Set([
  'Timeout',
  'NetworkError',
  'Truncated',
  'UnexpectedResponse',
]);

/** One registry with one credential: calls are signed, paced, retried and judged here. */
export class RegistrySession {
  readonly origins: OriginSet;
  /** Below the registry's own origin. */
  readonly addresses: AddressSpace;
  readonly transport: Transport;
  readonly budget: HostBudget;
  readonly #auth: Authenticator;
  readonly #warnings: RegistryWarnings;

  constructor(
    origins: OriginSet,
    transport: Transport,
    budget: HostBudget,
    auth: Authenticator,
    warnings: RegistryWarnings,
  ) {
    this.origins = origins;
    this.addresses = new AddressSpace(origins.registry);
    this.transport = transport;
    this.budget = budget;
    this.#auth = auth;
    this.#warnings = warnings;
  }

  /** Sends a call, again where that may help. Throws the failure of the last try. */
  async call(call: Call): Promise<HttpAnswer> {
    const retry = new RetryPlan(call.signal, call.once === true ? 1 : call.tries);
    for (;;) {
      try {
        return await this.budget.calls.run(() => this.#once(call), call.signal);
      } catch (error) {
        await retry.next(this.blame(error, call.about));
      }
    }
  }

  /**
   * Headers for a request that is streamed by somebody else, with the credential where `url` is the registry's own.
   * Waits while the host asked for a pause.
   */
  async authorize(url: WebAddress, scope: Scope, signal?: AbortSignal): Promise<Record<string, string>> {
    await this.budget.enter(signal);
    if (url.origin !== this.origins.registry) return {};
    const authorization = await orStopped(this.#auth.header(scope), signal);
    return authorization === undefined ? {} : { authorization };
  }

  /** What the registry's token server grants for `scope`; undefined where tokens do not tell. Call after some request. */
  claims(scope: Scope): Promise<TokenClaims | undefined> {
    return this.#auth.claims(scope);
  }

  /** Takes a 401 to a streamed request into account; throws where another try makes no sense. */
  async challenged(
    answer: HttpAnswer,
    url: WebAddress,
    scope: Scope | undefined,
    sent: string | undefined,
    refusals: number,
  ): Promise<void> {
    if (url.origin !== this.origins.registry) {
      throw new Failure('CrossOriginChallenge', { subject: this.origins.domain, detail: url.host });
    }
    await this.#auth.challenged(answer.all('www-authenticate'), scope, sent, refusals);
  }

  /**
   * Tells the budget how an answer went, and people what the registry warns of; returns its failure where it is one that
   * says "later".
   */
  judge(answer: HttpAnswer, about: RequestSubject): Failure | undefined {
    this.#warnings.see(this.origins.domain, answer);
    if (answer.status === 429) {
      this.budget.pause(pauseOf(answer) ?? 1000 + Math.random() * 1000);
      return answerFailure(answer, about);
    }
    if (answer.status < 500) {
      this.budget.served();
      return undefined;
    }
    const wait = pauseOf(answer);
    if (answer.status === 503 && wait !== undefined) this.budget.pause(wait);
    const failure = answerFailure(answer, about);
    this.budget.failed(failure.code);
    return failure;
  }

  /** The failure behind an error of a request; an unreadable answer of a throttling host is more throttling. */
  blame(error: unknown, about: RequestSubject): Failure {
    const failure = sided(networkFailure(error, { side: about.side, subject: about.subject }), about);
    if (failure.code === 'UnexpectedResponse' && this.budget.throttling) {
      this.budget.pause(10_000);
      return new Failure('RateLimited', { side: about.side, subject: about.subject, retryAfterMs: 10_000 });
    }
    if (!(error instanceof Failure) || brokenConnections.has(failure.code)) this.#broke(failure);
    // Answers were judged already, and pauses are nobody's fault; but whoever went first must let the next one go.
    else if (failure.code !== 'RateLimited' && failure.code !== 'RegistryUnavailable')
      this.budget.abandoned();
    return failure;
  }

  #broke(failure: Failure): void {
    if (failure.code === 'Cancelled') this.budget.abandoned();
    else this.budget.failed(failure.code);
  }

  async #once(call: Call): Promise<HttpAnswer> {
    for (let refusals = 0; ;) {
      await this.budget.enter(call.signal);
      const { answer, url, sent } = await this.#follow(call);
      const later = this.judge(answer, call.about);
      if (later !== undefined) throw later;
      if (answer.ok || call.accept?.includes(answer.status) === true) return answer;
      if (answer.status !== 401) throw answerFailure(answer, call.about);
      refusals += 1;
      await this.challenged(answer, url, call.scope, sent, refusals);
    }
  }

  /** Follows redirects of reads through the gate; the credential stays with the registry. */
  async #follow(
    call: Call,
  ): Promise<{ readonly answer: HttpAnswer; readonly url: WebAddress; readonly sent: string | undefined }> {
    let url: WebAddress = typeof call.url === 'string' ? new URL(call.url, this.origins.registry) : call.url;
    let withCredential = url.origin === this.origins.registry;
    for (let hop = 1; ; hop += 1) {
      const sent = withCredential ? await orStopped(this.#auth.header(call.scope), call.signal) : undefined;
      const answer = await this.#exchange(call, url, sent);
      const redirected = answer.status >= 301 && answer.status <= 308 && answer.status !== 304;
      if (!redirected || (call.method !== 'GET' && call.method !== 'HEAD')) return { answer, url, sent };
      const verdict = redirectGate(url, answer.header('location'), hop, this.origins);
      if (!verdict.allowed) {
        throw new Failure(verdict.code, { ...call.about, detail: verdict.reason });
      }
      ({ url, withCredential } = verdict);
    }
  }

  #exchange(call: Call, url: WebAddress, authorization: string | undefined): Promise<HttpAnswer> {
    const exchange: Exchange = {
      method: call.method,
      url,
      headers: {
        'user-agent': 'imageferry',
        ...call.headers,
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.maxBytes === undefined ? {} : { maxBytes: call.maxBytes }),
      ...(call.tooLong === undefined ? {} : { tooLong: call.tooLong }),
      ...(call.once === undefined ? {} : { once: call.once }),
      ...(call.answerTimeoutMs === undefined ? {} : { answerTimeoutMs: call.answerTimeoutMs }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
    return this.transport.exchange(exchange);
  }
}

/** A connection does not know whose it is: who used it says so. */
function sided(failure: Failure, about: RequestSubject): Failure {
  if (failure.side !== undefined) return failure;
  const { code, subject, detail, retryAfterMs, cause } = failure;
  return new Failure(code, {
    side: about.side,
    subject: subject ?? about.subject,
    ...(detail === undefined ? {} : { detail }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    cause,
  });
}
