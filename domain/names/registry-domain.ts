import { Failure } from '../failure.ts';
import { printable } from './digest.ts';

declare const brand: unique symbol;

/** A registry's `host[:port]` in lower case; only {@link parseRegistryDomain} makes one. */
export type RegistryDomain = string & { readonly [brand]: 'RegistryDomain' };

const hostPattern = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const ipv6Pattern = /^\[[0-9a-f:]+(?:\.[0-9.]+)?\]$/;

/**
 * Parses a registry's domain: `host[:port]`, no scheme, no path, no user. Throws `InvalidDomain` with what is wrong.
 * `docker.io` stands for Docker Hub (see {@link registryHost}).
 */
export function parseRegistryDomain(text: string): RegistryDomain {
  const refuse = (detail: string): never => {
    throw new Failure('InvalidDomain', { subject: printable(text), detail });
  };
  if (text.includes('://')) refuse('remove the scheme');
  if (text.includes('/')) refuse('remove the path');
  if (text.includes('@')) refuse('remove the user name');
  const lower = text.toLowerCase();
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]{1,5}))?$/.exec(lower);
  const [whole, host = '', port] = match ?? [];
  if (whole !== lower || host.length > 253) return refuse('expected host[:port]');
  if (!hostPattern.test(host) && !ipv6Pattern.test(host)) refuse('expected host[:port]');
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))
    refuse('the port must be 1 to 65535');
  refuseRewritten(host, refuse);
  return lower as RegistryDomain;
}

/** An URL rewrites some hosts (`127.1` is 127.0.0.1 to it): the credential is for the one that is written, or for none. */
function refuseRewritten(host: string, refuse: (detail: string) => never): void {
  const dialled = URL.parse(`http://${host}`)?.hostname;
  if (dialled !== host) refuse(dialled === undefined ? 'no such address' : `write it as ${dialled}`);
}

/** The host that serves a domain's registry API: Docker Hub is the one whose API lives elsewhere. */
export function registryHost(domain: RegistryDomain): RegistryDomain {
  const dockerHub: readonly string[] = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];
  return dockerHub.includes(domain) ? ('registry-1.docker.io' as RegistryDomain) : domain;
}

/** True for `localhost`, `127.0.0.0/8` and `[::1]`, where plain http is the default. */
export function isLoopback(domain: RegistryDomain): boolean {
  const host = domain.startsWith('[')
    ? domain.slice(0, domain.indexOf(']') + 1)
    : (domain.split(':')[0] ?? '');
  return host === 'localhost' || host === '[::1]' || /^127\.(?:\d{1,3}\.){2}\d{1,3}$/.test(host);
}
