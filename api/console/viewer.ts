import type { Language } from '../../domain/api/status.ts';
import type { ApiContext } from '../context.ts';
import { basePath } from '../mount.ts';
import { wordsIn, type Say } from './words.ts';

/** A body for the API. */
export interface Body {
  readonly type: string;
  readonly text: string;
}

/** Who looks at the console: asks the API with the caller's own token, and speaks their language. */
export interface Viewer {
  readonly language: Language;
  readonly say: Say;
  /** Values that `spec.provider` may have. */
  readonly providers: readonly string[];
  /** The query of the page that is looked at; a name that is not there reads as ''. */
  readonly query: (name: string) => string;
  /** All of that query. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What the API answers to a GET, whose shape its own schema promises. Throws {@link Refused}. */
  readonly get: <T>(path: string) => Promise<T>;
  /** The answer to a change; an empty object where there is no content. Throws {@link Refused}. */
  readonly send: (method: string, path: string, body?: Body) => Promise<Readonly<Record<string, unknown>>>;
}

/** The API's refusal of a call, in the words that it gave. */
export class Refused extends Error {
  /** HTTP status. */
  readonly status: number;
  /** Code of the closed list; '' where the answer had none. */
  readonly code: string;
  readonly requestId: string;

  constructor(status: number, told: Readonly<Record<string, unknown>>) {
    super(textOf(told['message']));
    const details = isRecord(told['details']) ? told['details'] : {};
    this.status = status;
    this.code = textOf(details['code']);
    this.requestId = textOf(details['requestId']);
  }
}

/** What of the app the console needs. */
export interface InnerApp {
  request(path: string, init: RequestInit, env: ApiContext['env']): Response | Promise<Response>;
}

/**
 * The viewer of one call. It asks through the app itself, so that sign-in, rights, limits and audit are those of any
 * client: the console has no right of its own.
 */
export function viewerOf(app: InnerApp, context: ApiContext, providers: readonly string[]): Viewer {
  const language = context.get('language');
  const ask = async (method: string, path: string, body?: Body): Promise<unknown> => {
    const headers: Record<string, string> = {
      authorization: context.req.header('authorization') ?? '',
      'accept-language': language,
      'user-agent': 'imageferry-console',
      ...(body === undefined ? {} : { 'content-type': body.type }),
    };
    const init = { method, headers, ...(body === undefined ? {} : { body: body.text }) };
    const response = await app.request(basePath + path, init, context.env);
    const told: unknown = response.status === 204 ? {} : await response.json().catch(() => ({}));
    if (response.ok) return told;
    throw new Refused(response.status, isRecord(told) ? told : {});
  };
  return {
    language,
    say: wordsIn(language),
    providers,
    query: (name) => context.req.query(name) ?? '',
    parameters: context.req.query(),
    get: async <T>(path: string) => (await ask('GET', path)) as T,
    send: async (method, path, body) => {
      const told = await ask(method, path, body);
      return isRecord(told) ? told : {};
    },
  };
}

/** A body of JSON. */
export const jsonBody = (value: object): Body => ({ type: 'application/json', text: JSON.stringify(value) });

/** The path of one object in the API. */
export const objectPath = (collection: string, namespace: string, name: string): string =>
  `/namespaces/${encodeURIComponent(namespace)}/${collection}/${encodeURIComponent(name)}`;

/** A list as the API answers it. */
export interface ListBody<T> {
  readonly items: readonly T[];
  readonly totalItems: number;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
