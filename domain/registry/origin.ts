import type { FailureCode } from '../failure.ts';
import { isLoopback, registryHost, type RegistryDomain } from '../names/registry-domain.ts';
import { isKnownTokenServer } from './token-servers.ts';

declare const brand: unique symbol;

/** Scheme, host and port as URLs compare them, such as `https://r.example` or `http://127.0.0.1:5000`. */
export type Origin = string & { readonly [brand]: 'Origin' };

/** What requests need to know of an URL. An `URL` is one. */
export type WebAddress = Readonly<
  Pick<URL, 'href' | 'origin' | 'protocol' | 'host' | 'hostname' | 'port' | 'pathname' | 'search'>
>;

/** The origins that may see a registry's credential, matched exactly. */
export interface OriginSet {
  readonly domain: RegistryDomain;
  readonly registry: Origin;
  /** Declared token servers besides the registry itself. */
  readonly realms: ReadonlySet<Origin>;
  /** Declared places that uploads may be sent to besides the registry itself. They never see the credential. */
  readonly uploads: ReadonlySet<Origin>;
  /** Whether plain http was declared, or is the default because the registry is on this machine. */
  readonly plainHttp: boolean;
}

/** What is declared about a registry. */
export interface RegistryDeclaration {
  readonly domain: RegistryDomain;
  /** Default: true for loopback domains without `caBundle`. */
  readonly insecure?: boolean;
  readonly caBundle?: string;
  /** Default: none. */
  readonly allowedRealms?: readonly string[];
  /** Default: none. */
  readonly uploadOrigins?: readonly string[];
}

/** Whether a request may go to an address, and whether the credential goes along. */
export type GateVerdict =
  | { readonly allowed: true; readonly url: URL; readonly withCredential: boolean }
  | { readonly allowed: false; readonly code: FailureCode; readonly reason: string };

/** Redirects of one request that are followed. */
export const maxRedirects = 5;
const maxAddressLength = 4096;

/** The origins of a declared registry. An entry of `allowedRealms` or `uploadOrigins` that is no plain origin counts for nothing. */
export function originsOf(declaration: RegistryDeclaration): OriginSet {
  const loopbackDefault = isLoopback(declaration.domain) && declaration.caBundle === undefined;
  const plainHttp = declaration.insecure ?? loopbackDefault;
  const host = registryHost(declaration.domain);
  const registry = new URL(`${plainHttp ? 'http' : 'https'}://${host}`);
  return {
    domain: declaration.domain,
    registry: originOf(registry),
    realms: new Set((declaration.allowedRealms ?? []).flatMap((text) => declaredOrigin(text) ?? [])),
    uploads: new Set((declaration.uploadOrigins ?? []).flatMap((text) => declaredOrigin(text) ?? [])),
    plainHttp,
  };
}

/** An URL's origin. */
export function originOf(url: WebAddress): Origin {
  return url.origin as Origin;
}

/** An origin that a person declared: http or https, host, port, and nothing else; undefined for other text. */
export function declaredOrigin(text: string): Origin | undefined {
  const url = parseAddress(text);
  if (url === undefined || url.pathname !== '/' || url.search !== '') return undefined;
  return originOf(url);
}

/**
 * Whether a token server that a challenge names may be asked, with the credential. Only the registry's own origin, the
 * declared ones and those known to belong to the registry (`auth.docker.io`); plain http only for a registry that is
 * itself declared plain.
 */
export function realmGate(realm: string, origins: OriginSet): GateVerdict {
  const refuse = (reason: string): GateVerdict => ({ allowed: false, code: 'RealmNotAllowed', reason });
  const url = parseAddress(realm);
  if (url === undefined)
    return refuse('the realm is not an absolute http or https address without user and fragment');
  if (url.protocol === 'http:' && !origins.plainHttp)
    return refuse('the realm is plain http, the registry is not');
  const origin = originOf(url);
  if (origin === origins.registry || origins.realms.has(origin) || isKnownTokenServer(origins.domain, url)) {
    return { allowed: true, url, withCredential: true };
  }
  return refuse(`${origin} is not declared in allowedRealms`);
}

/**
 * Whether a redirect of a download is followed. `hop` is 1 for the first. Any host may serve a blob, as its digest is
 * checked; the credential goes along only within the registry's own origin.
 */
export function redirectGate(
  from: WebAddress,
  location: string | undefined,
  hop: number,
  origins: OriginSet,
): GateVerdict {
  const refuse = (code: FailureCode, reason: string): GateVerdict => ({ allowed: false, code, reason });
  if (hop > maxRedirects) return refuse('TooManyRedirects', `more than ${maxRedirects} redirects`);
  if (location === undefined || location === '') return refuse('TooManyRedirects', 'a redirect to nowhere');
  const url = parseAddress(location, from);
  if (url === undefined) return refuse('AddressRefused', 'the redirect leads to no usable address');
  if (from.protocol === 'https:' && url.protocol === 'http:')
    return refuse('DowngradeRefused', 'https to http');
  const stayed = originOf(from) === origins.registry && originOf(url) === origins.registry;
  return { allowed: true, url, withCredential: stayed };
}

/**
 * Whether an upload goes on at the `Location` that the registry gave. Only within the registry's own origin
 * and, without the credential, the declared ones: the bytes of a private image go nowhere else. The query is kept as it is.
 */
export function locationGate(
  from: WebAddress,
  location: string | undefined,
  origins: OriginSet,
): GateVerdict {
  const refuse = (reason: string): GateVerdict => ({ allowed: false, code: 'LocationRefused', reason });
  if (location === undefined || location === '') {
    return { allowed: false, code: 'BadUploadSession', reason: 'no Location' };
  }
  const url = parseAddress(location, from);
  if (url === undefined) return refuse('no usable address');
  if (url.protocol === 'http:' && !origins.plainHttp) return refuse('the upload would leave https');
  const origin = originOf(url);
  if (origin === origins.registry) return { allowed: true, url, withCredential: true };
  if (origins.uploads.has(origin)) return { allowed: true, url, withCredential: false };
  return refuse(`${origin} is neither the registry's own address nor declared in uploadOrigins`);
}

/** Whether a credential may be sent to an address at all: exact origin, and in the clear only where that was declared. */
export function credentialGate(url: URL, origins: OriginSet): GateVerdict {
  if (url.protocol === 'http:' && !origins.plainHttp) {
    return { allowed: false, code: 'PlaintextCredentialRefused', reason: 'plain http was not declared' };
  }
  return { allowed: true, url, withCredential: originOf(url) === origins.registry };
}

/** An http or https URL without user, password and fragment, at most 4096 characters long. */
function parseAddress(text: string, base?: WebAddress): URL | undefined {
  // eslint-disable-next-line no-control-regex -- URL would drop them silently
  if (text.length > maxAddressLength || /[\u0000-\u0020\u007f\\]/.test(text)) return undefined;
  const url = URL.parse(text, base?.href);
  if (url === null) return undefined;
  const web = url.protocol === 'http:' || url.protocol === 'https:';
  const clean = url.username === '' && url.password === '' && !text.includes('#');
  return web && clean && hostIsVerbatim(text, url) ? url : undefined;
}

/** Refuses hosts that the URL parser rewrites (`0x7f.1`, `%65vil.example`, `ⓔ.example`): what is written is what is meant. */
function hostIsVerbatim(text: string, url: URL): boolean {
  const authority = /^(?:[a-z]+:)?\/\/([^/?]*)/i.exec(text)?.[1]?.toLowerCase();
  if (authority === undefined) return !/^[a-z][a-z0-9+.-]*:/i.test(text);
  const defaultPort = url.protocol === 'https:' ? ':443' : ':80';
  return authority === url.host || authority === `${url.host}${defaultPort}`;
}
