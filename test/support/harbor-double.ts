import type { Answer, Exchange } from './misbehaving-registry/exchange.ts';
import { MisbehavingRegistry } from './misbehaving-registry/registry.ts';
import type { Trace } from './misbehaving-registry/trace.ts';

const json = { 'content-type': 'application/json', 'x-request-id': 'r-1' };
const never = '0001-01-01T00:00:00.000Z';

/** Accounts of the double: Basic, as `user:password`. */
export const harborAccounts = {
  admin: { username: 'admin', password: 'Harbor12345' },
  robot: { username: 'robot$edge+sync', password: 'robot-secret' },
} as const;

/**
 * Harbor as far as lifecycles use it, strictly: names are encoded twice, a page holds 100 at most, only an administrator
 * starts a garbage collection and only one runs, and each GET of a manifest is a pull but Harbor's own.
 */
export class HarborDouble extends MisbehavingRegistry {
  /** Epoch milliseconds, for pull times. */
  now = Date.UTC(2026, 0, 1);
  readonly pulls = new Map<string, number>();
  readonly collections: unknown[] = [];
  collecting = false;

  constructor(trace: Trace) {
    super(trace, {});
  }

  protected override async respond(exchange: Exchange): Promise<Answer> {
    const path = exchange.url.pathname;
    if (path.startsWith('/api/v2.0/')) return this.#api(exchange, path.slice('/api/v2.0'.length));
    const answer = await super.respond(exchange);
    const isPull = exchange.method === 'GET' && /^\/v2\/.+\/manifests\//.test(path) && answer.status === 200;
    if (isPull && exchange.header('user-agent') !== 'harbor-registry-client') {
      const digest = answer.headers?.['docker-content-digest'];
      if (typeof digest === 'string') this.pulls.set(digest, this.now);
    }
    return answer;
  }

  async #api(exchange: Exchange, path: string): Promise<Answer> {
    const body = (await exchange.body()).toString('utf8');
    const account = this.#account(exchange.header('authorization'));
    if (account === undefined) return error(401, 'UNAUTHORIZED', 'unauthorized');
    if (path === '/system/gc/schedule' && exchange.method === 'POST') return this.#collect(account, body);
    const match = /^\/projects\/([^/]+)\/repositories\/([^/]+)\/artifacts$/.exec(path);
    if (match === null || exchange.method !== 'GET') return error(404, 'NOT_FOUND', 'no such path');
    const [, project = '', repository = ''] = match;
    return this.#artifacts(`${project}/${decodeURIComponent(decodeURIComponent(repository))}`, exchange.url);
  }

  #collect(account: string, body: string): Answer {
    if (account !== 'admin') return error(403, 'FORBIDDEN', 'forbidden');
    if (this.collecting) return error(409, 'CONFLICT', 'a garbage collection is running');
    const { schedule, parameters } = JSON.parse(body) as {
      schedule?: { type?: string };
      parameters?: object;
    };
    if (schedule?.type !== 'Manual') return error(400, 'BAD_REQUEST', 'schedule type');
    this.collections.push(parameters);
    return { status: 201, headers: json };
  }

  #artifacts(name: string, url: URL): Answer {
    const size = Number(url.searchParams.get('page_size') ?? 10);
    const page = Number(url.searchParams.get('page') ?? 1);
    if (size > 100) return error(422, 'UNPROCESSABLE_ENTITY', 'validation failure list: page_size');
    const content = this.repository(name);
    const digests = [...new Set(content.tags.values())];
    const shown = digests.slice((page - 1) * size, page * size).map((digest, index) => ({
      id: index + 1,
      type: 'IMAGE',
      digest,
      size: 1,
      push_time: never,
      pull_time: this.pulls.has(digest) ? new Date(this.pulls.get(digest) ?? 0).toISOString() : never,
      extra_attrs: {},
      annotations: null,
      references: null,
      tags: null,
      labels: null,
    }));
    const headers = { ...json, 'x-total-count': String(digests.length) };
    return { status: 200, headers, body: JSON.stringify(shown) };
  }

  #account(authorization: string | undefined): keyof typeof harborAccounts | undefined {
    const names = ['admin', 'robot'] as const;
    return names.find((name) => {
      const { username, password } = harborAccounts[name];
      return authorization === `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    });
  }
}

const error = (status: number, code: string, message: string): Answer => ({
  status,
  headers: json,
  body: JSON.stringify({ errors: [{ code, message }] }),
});
