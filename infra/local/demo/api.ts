import { apiGroup, apiVersion } from '../../../domain/resources/meta.ts';
import type { Repository } from '../../../domain/resources/repository.ts';
import type { Endpoints } from '../endpoints.ts';

/** The calls that the demo makes, as a user's script would. */
export interface DemoApi {
  get(path: string): Promise<Answer>;
  post(path: string, body: object): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Our REST API as the admin, in namespace `default`. */
export function demoApi({ api, tokens }: Endpoints): DemoApi {
  const base = `${api}/oapis/${apiGroup}/${apiVersion}/namespaces/default`;
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(`${base}/${path}`, {
      method,
      headers: { authorization: `Bearer ${tokens.admin}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    delete: (path) => call('DELETE', path),
  };
}

/** The answer, where it is one of the expected. Throws the message of the `Status` otherwise. */
export function expecting(what: string, answer: Answer, ...statuses: readonly number[]): Answer {
  if (statuses.includes(answer.status)) return answer;
  const { message } = (answer.body ?? {}) as { readonly message?: string };
  throw new Error(`${what}: HTTP ${answer.status} ${message ?? ''}`);
}

/** The Repository in an answer. */
export const repositoryIn = (answer: Answer): Repository => answer.body as Repository;
