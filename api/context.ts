import type { Context } from 'hono';
import type { Language } from '../domain/api/status.ts';
import type { AccessQuestion, Caller } from '../infra/kubernetes/cluster.ts';

/** What the middleware knows of a call. */
export interface CallVariables {
  requestId: string;
  language: Language;
  /** Set once the token was accepted. */
  caller: Caller | undefined;
  /** Asks about the caller's token once more; throws `Unauthenticated`. Set with `caller`. */
  stillSignedIn: () => Promise<void>;
  /** The path pattern of the matched route, for metrics and logs; never the path itself. */
  route: string;
  /** Kind that the matched route is about, for errors. */
  kind: string;
  /** Methods of the path, once another was refused. */
  allow: string | undefined;
}

/** The part of Node's request that the API looks at; absent where the app runs in-process. */
export interface NodeBindings {
  readonly incoming?: {
    readonly rawHeaders: readonly string[];
    readonly socket: { readonly remoteAddress?: string | undefined };
  };
}

/** Hono's environment of this app. */
export interface ApiEnvironment {
  Variables: CallVariables;
  Bindings: NodeBindings;
}

export type ApiContext = Context<ApiEnvironment>;

/** One call, checked: signed in, allowed, parsed. */
export interface Call<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly caller: Caller;
  readonly language: Language;
  readonly requestId: string;
  readonly now: Date;
  /** Aborted when the caller hangs up. */
  readonly signal: AbortSignal;
  /** The header `Range`. */
  readonly range: string | undefined;
  /** Asks about one more object than the route's own; throws `AccessDenied`. */
  readonly require: (question: AccessQuestion) => Promise<void>;
  /** Whether the caller may do it; a no is in no audit log. */
  readonly allows: (question: AccessQuestion) => Promise<boolean>;
  /** For answers that go on: throws `Unauthenticated` once the caller's token has ended or was taken back. */
  readonly stillSignedIn: () => Promise<void>;
}

/** Address of the other end of the connection. Forwarding headers are not believed (fault Q12). */
export function sourceAddress(context: ApiContext): string {
  return context.env?.incoming?.socket.remoteAddress ?? 'in-process';
}
