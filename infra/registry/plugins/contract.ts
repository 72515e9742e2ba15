import type { Scope } from '../authenticator.ts';
import type { VerifyOutcome } from '../../copy/engine.ts';

/** The version of this contract; a plug-in says which one it was written for. It changes where an old plug-in would break. */
export const pluginContract = 1;

/**
 * What a plug-in's module exports. It is JavaScript of another project: nothing of ours is imported by it, all that it needs is
 * handed in, and what it gives back is checked.
 */
export interface RegistryPlugin {
  /** Must be {@link pluginContract}. */
  readonly imageferryPlugin: number;
  readonly providers: readonly PluginProvider[];
}

/** One kind of registry. */
export interface PluginProvider {
  /** The value of `spec.provider`: lower-case letters, digits and `-`; none of the built-in ones. */
  readonly name: string;
  /** Checks the credential within 30 seconds. What it throws is the reason that people read. */
  readonly verify: (context: PluginContext) => Promise<VerifyOutcome>;
}

/** What a plug-in works with. The password is not in it: requests are signed for it. */
export interface PluginContext {
  readonly registry: { readonly domain: string; readonly username: string; readonly provider: string };
  /** Repository paths whose rights are of interest. May be empty. */
  readonly paths: readonly string[];
  readonly signal: AbortSignal;
  /** The usual check of any registry: signs in, and says what may be done where. */
  readonly standard: () => Promise<VerifyOutcome>;
  /** One request to the registry itself, signed, paced and bounded; 4xx but 401 and 403 are answers, all else is thrown. */
  readonly request: (call: PluginCall) => Promise<PluginAnswer>;
  /** Throws a failure of this product: a code such as `Unauthorized`, `Forbidden` or `PluginFailed`, and words of your own. */
  readonly fail: (code: string, detail: string) => never;
}

/** A request of a plug-in. */
export interface PluginCall {
  /** Default: `GET`. */
  readonly method?: 'GET' | 'HEAD';
  /** Path and query below the registry's origin. */
  readonly path: string;
  /** What the token has to be good for. Default: nothing. */
  readonly scope?: Pick<Scope, 'type' | 'path' | 'actions'>;
}

/** An answer, read whole, at most 1 MiB. */
export interface PluginAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly text: string;
}
