import { Double } from './double.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { Trace } from './trace.ts';

export interface TokenServerOptions {
  readonly username: string;
  readonly password: string;
  /** Seconds that a token is good for; also how long the registry double takes it. Default: 300. */
  readonly lifetimeSeconds?: number;
  /** Scopes that one request may ask for at most; more is a 403. Default: no limit. */
  readonly maxScopes?: number;
}

interface Issued {
  readonly scopes: readonly string[];
  readonly expiresAt: number;
}

/** A token server: Basic credential in, opaque token out. */
export class TokenServer extends Double {
  readonly options: TokenServerOptions;
  readonly #issued = new Map<string, Issued>();
  #next = 0;

  constructor(trace: Trace, options: TokenServerOptions) {
    super(trace);
    this.options = options;
  }

  get realm(): string {
    return `${this.origin}/token`;
  }

  /** Every token so far: canaries for the invariants. */
  get tokens(): readonly string[] {
    return [...this.#issued.keys()];
  }

  get basic(): string {
    return `Basic ${Buffer.from(`${this.options.username}:${this.options.password}`).toString('base64')}`;
  }

  /** Whether a token is good for an action on a repository. */
  grants(token: string, repository: string, action: string): boolean {
    const issued = this.#issued.get(token);
    if (issued === undefined || issued.expiresAt < Date.now()) return false;
    return issued.scopes.some((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return type === 'repository' && name === repository && actions.split(',').includes(action);
    });
  }

  /** Makes a token without being asked. */
  issue(scopes: readonly string[]): string {
    this.#next += 1;
    const token = `tok-canary-${this.#next}-${Math.random().toString(36).slice(2)}`;
    this.#issued.set(token, { scopes, expiresAt: Date.now() + (this.options.lifetimeSeconds ?? 300) * 1000 });
    return token;
  }

  /** As if every token so far had expired. */
  revokeAll(): void {
    for (const [token, issued] of this.#issued) this.#issued.set(token, { ...issued, expiresAt: 0 });
  }

  protected override async respond(exchange: Exchange): Promise<Answer> {
    await exchange.body();
    const { authorization } = exchange.request.headers;
    if (authorization !== undefined && authorization !== this.basic) return { status: 401, body: 'no' };
    const scopes = exchange.url.searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
    if (scopes.length > (this.options.maxScopes ?? Number.POSITIVE_INFINITY))
      return { status: 403, body: 'one scope at a time' };
    const granted =
      authorization === undefined ? scopes.map((scope) => scope.replace(/:[^:]*$/, ':pull')) : scopes;
    const body = { token: this.issue(granted), expires_in: this.options.lifetimeSeconds ?? 300 };
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  }
}
