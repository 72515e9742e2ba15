import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';
import { parseChallenges, planAuthentication } from '../../domain/registry/challenge.ts';
import { credentialGate, realmGate, type OriginSet } from '../../domain/registry/origin.ts';
import { readTokenClaims, type TokenClaims } from '../../domain/registry/token-claims.ts';
import type { RegistryToken } from '../../domain/registry/token-response.ts';
import type { Credential } from '../copy/engine.ts';
import { basicCredential } from './basic-credential.ts';

/** What a token is asked for. */
export interface Scope {
  /** Default: `repository`. */
  readonly type?: 'repository' | 'registry';
  readonly path: string;
  readonly actions: readonly ('pull' | 'push' | 'delete' | '*')[];
  /** Repositories to take blobs over from: read rights there are asked for in the same token. Default: none. */
  readonly mountFrom?: readonly string[];
}

/** Where tokens come from; called once at a time per scope. */
export type TokenFetcher = (realm: URL, authorization: string | undefined) => Promise<RegistryToken>;

interface HeldToken {
  readonly header: string;
  readonly claimed: boolean | undefined;
  /** On the monotonic clock, in milliseconds. */
  readonly until: number;
}

type Plan =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: URL; readonly service?: string };

/**
 * Signs requests to one registry with one credential. What to do is learned from the registry's challenges; one token
 * per scope, fetched once however many wait for it.
 */
export class Authenticator {
  readonly #origins: OriginSet;
  readonly #credential: Credential | undefined;
  readonly #fetch: TokenFetcher;
  readonly #tokens = new Map<string, HeldToken>();
  readonly #pending = new Map<string, Promise<HeldToken>>();
  #plan: Plan | undefined;

  constructor(origins: OriginSet, credential: Credential | undefined, fetch: TokenFetcher) {
    this.#origins = origins;
    this.#credential = credential;
    this.#fetch = fetch;
  }

  /** The `Authorization` for a request within the registry's own origin; undefined while none was asked for. */
  async header(scope: Scope | undefined): Promise<string | undefined> {
    if (this.#plan === undefined) return undefined;
    if (this.#plan.scheme === 'basic') return this.#basic();
    return (await this.#token(this.#plan, scope)).header;
  }

  /** What a token for `scope` says about itself; undefined where the registry takes no tokens, or opaque ones. */
  async claims(scope: Scope): Promise<TokenClaims | undefined> {
    if (this.#plan?.scheme !== 'bearer') return undefined;
    const { header } = await this.#token(this.#plan, scope);
    return readTokenClaims(header.slice('Bearer '.length));
  }

  /**
   * Takes a 401 into account. `sent` is the header that was refused, `refusals` how many came in a row. Resolves where
   * another try makes sense; throws `Unauthorized` or `Forbidden` where it does not.
   */
  async challenged(
    headers: readonly string[],
    scope: Scope | undefined,
    sent: string | undefined,
    refusals: number,
  ): Promise<void> {
    const challenges = parseChallenges(headers);
    const plan = planAuthentication(challenges);
    const insufficient = challenges.some((each) => each.parameters.get('error') === 'insufficient_scope');
    if (plan === undefined) throw this.#refusal('Unauthorized');
    this.#plan = plan.scheme === 'basic' ? plan : this.#gated(plan);
    if (sent === undefined) {
      if (this.#plan.scheme === 'basic' && this.#credential === undefined)
        throw this.#refusal('Unauthorized');
      return;
    }
    if (plan.scheme === 'basic') {
      if (sent.startsWith('Basic ')) throw this.#refusal('Unauthorized');
      return;
    }
    await this.#refusedToken(scope, sent, insufficient, refusals);
  }

  async #refusedToken(
    scope: Scope | undefined,
    sent: string,
    insufficient: boolean,
    refusals: number,
  ): Promise<void> {
    const key = scopeKey(scope);
    const held = this.#tokens.get(key);
    if (held?.header === sent) this.#tokens.delete(key);
    if (held?.header === sent && held.claimed === false) throw this.#refusal('Forbidden');
    if (refusals === 1) return;
    if (insufficient) throw this.#refusal('Forbidden');
    if (refusals >= 3) throw this.#refusal('Unauthorized');
    // A token may not be valid yet where the clocks differ (docker_auth issue 41).
    await sleep(2000 + Math.random() * 1000);
  }

  #gated(plan: { readonly realm: string; readonly service?: string }): Plan {
    const verdict = realmGate(plan.realm, this.#origins);
    if (!verdict.allowed)
      throw new Failure(verdict.code, { subject: this.#origins.domain, detail: verdict.reason });
    return {
      scheme: 'bearer',
      realm: verdict.url,
      ...(plan.service === undefined ? {} : { service: plan.service }),
    };
  }

  #basic(): string | undefined {
    if (this.#credential === undefined) return undefined;
    const verdict = credentialGate(new URL(this.#origins.registry), this.#origins);
    if (!verdict.allowed) throw new Failure(verdict.code, { subject: this.#origins.domain });
    return basicCredential(this.#credential);
  }

  #token(plan: Extract<Plan, { scheme: 'bearer' }>, scope: Scope | undefined): Promise<HeldToken> {
    const key = scopeKey(scope);
    const held = this.#tokens.get(key);
    if (held !== undefined && held.until > performance.now()) return Promise.resolve(held);
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const fetched = this.#fetchToken(plan, scope).finally(() => this.#pending.delete(key));
    this.#pending.set(key, fetched);
    return fetched;
  }

  async #fetchToken(plan: Extract<Plan, { scheme: 'bearer' }>, scope: Scope | undefined): Promise<HeldToken> {
    const url = new URL(plan.realm);
    if (plan.service !== undefined) url.searchParams.set('service', plan.service);
    for (const text of scopeTexts(scope)) url.searchParams.append('scope', text);
    const started = performance.now();
    const token = await this.#fetch(url, this.#basic());
    // A request may still wait in line after this check: leave it a tenth of the life, at most 30 s.
    const life = token.expiresInSeconds * 1000;
    const held = {
      header: `Bearer ${token.token}`,
      claimed: claims(token.token, scope),
      until: started + life - Math.min(life / 10, 30_000),
    };
    if (this.#tokens.size >= 10_000) this.#tokens.clear();
    this.#tokens.set(scopeKey(scope), held);
    return held;
  }

  #refusal(code: 'Unauthorized' | 'Forbidden'): Failure {
    return new Failure(code, { subject: this.#origins.domain });
  }
}

/** Whether a token says that it allows all that was asked for; undefined where it does not tell. */
function claims(token: string, scope: Scope | undefined): boolean | undefined {
  const grants = readTokenClaims(token)?.grants;
  if (grants === undefined || scope === undefined) return undefined;
  const actions = new Set(
    grants.filter((grant) => grant.name === scope.path).flatMap((grant) => grant.actions),
  );
  return scope.actions.every((action) => actions.has(action) || actions.has('*'));
}

function scopeKey(scope: Scope | undefined): string {
  return scopeTexts(scope).join(' ');
}

function scopeTexts(scope: Scope | undefined): readonly string[] {
  if (scope === undefined) return [];
  const others = (scope.mountFrom ?? []).map((path) => `repository:${path}:pull`);
  return [`${scope.type ?? 'repository'}:${scope.path}:${scope.actions.join(',')}`, ...others];
}
