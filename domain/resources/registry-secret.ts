import { annotationPrefix, type Condition, type Resource } from './meta.ts';

/** What `spec.password` reads as once the credential has moved into its Secret. */
export const encryptedPassword = '<encrypted>';

/** Annotation that lets a RegistrySecret be deleted although Repositories use it, where it is `true`. */
export const forceDeleteAnnotation = `${annotationPrefix}force-delete`;

/** Providers that ship with the product; a plug-in may register more. */
export const builtInProviders = ['harbor', 'dockerhub', 'aliyun', 'other'] as const;

/** How a registry is reached, beyond its domain. Shared by RegistrySecret and EdgeSite. */
export interface RegistryAccessSpec {
  /** Plain http. Default: true for loopback domains without `caBundle`, false for all others. */
  readonly insecure?: boolean;
  /** PEM certificates to trust for this registry besides the system's. Default: none. */
  readonly caBundle?: string;
  /** Whether hosts that the registry points to (token server, redirects) may have private addresses. Default: false. */
  readonly allowPrivate?: boolean;
  /** Origins (`https://host[:port]`) besides the registry's own that may be asked for tokens. Default: none. */
  readonly allowedRealms?: readonly string[];
  /**
   * Origins besides the registry's own that it may send uploads to: they get the bytes, never the credential, and may have
   * private addresses only with `allowPrivate`. Default: none.
   */
  readonly uploadOrigins?: readonly string[];
  /** Seconds after which a running garbage collection of the registry has certainly ended. Default: 0, none runs. */
  readonly gcSettleSeconds?: number;
  /** Whether its garbage collection drops untagged manifests; then a staging tag holds what is being copied. Default: false. */
  readonly gcDeletesUntagged?: boolean;
}

export interface RegistrySecretSpec extends RegistryAccessSpec {
  /** `host[:port]`. */
  readonly domain: string;
  readonly username: string;
  /** Plain when it comes in, {@link encryptedPassword} once stored. */
  readonly password: string;
  /** One of {@link builtInProviders} or a plug-in's name. */
  readonly provider: string;
  /** Other namespaces whose Repositories may use it; `*` means all. Default: none. */
  readonly allowedNamespaces?: readonly string[];
}

/** What the credential was found to be able to do. */
export interface RegistryCapability {
  /** A repository path, or `*` for the registry as a whole. */
  readonly scope: string;
  readonly actions: readonly ('pull' | 'push' | 'delete' | 'list')[];
}

export interface RegistrySecretStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  /** RFC 3339 UTC. */
  readonly lastVerified?: string;
  readonly capabilities?: readonly RegistryCapability[];
  /** Pull quota where the registry tells (Docker Hub): pulls left, pulls in all, window in seconds. */
  readonly pullQuota?: { readonly remaining: number; readonly limit: number; readonly windowSeconds: number };
  /** RFC 3339 UTC, where the credential or its token tells. */
  readonly expires?: string;
  /** Name of the Secret that holds the credential. */
  readonly secretName?: string;
}

/** A registry and its credential. */
export interface RegistrySecret extends Resource<'RegistrySecret'> {
  readonly spec: RegistrySecretSpec;
  readonly status?: RegistrySecretStatus;
}

/** Whether Repositories of a namespace may use it. */
export function mayUse({ metadata, spec }: RegistrySecret, namespace: string): boolean {
  const allowed = spec.allowedNamespaces ?? [];
  return metadata.namespace === namespace || allowed.includes(namespace) || allowed.includes('*');
}
