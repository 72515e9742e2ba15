import { inNetwork, isAddress } from './addresses.ts';

/** A proxy as the environment names it. */
export interface Proxy {
  readonly host: string;
  readonly port: number;
  /** Whether the proxy itself is spoken to over TLS. */
  readonly tls: boolean;
  /** Value of `Proxy-Authorization`: for the proxy alone, never for a message or a log. Default: none. */
  readonly authorization?: string;
}

/** Which registry traffic goes through which proxy. */
export interface ProxySettings {
  /** For https. Default: none. */
  readonly https?: Proxy;
  /** For plain http. Default: none. */
  readonly http?: Proxy;
  /** Entries of `NO_PROXY`, in lower case. */
  readonly except: readonly string[];
}

/** Where a connection is to go. `host` is a name or an address without brackets. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, or their lower-case forms. Throws an error that names the variable that
 * is wrong and never shows its value.
 */
export function parseProxySettings(environment: Readonly<Record<string, string | undefined>>): ProxySettings {
  const read = (name: string): string | undefined =>
    environment[name] || environment[name.toLowerCase()] || undefined;
  const [https, http] = [proxyOf('HTTPS_PROXY', read), proxyOf('HTTP_PROXY', read)];
  const except = (read('NO_PROXY') ?? '').toLowerCase().split(',');
  return {
    ...(https === undefined ? {} : { https }),
    ...(http === undefined ? {} : { http }),
    except: except.map((entry) => entry.trim()).filter((entry) => entry !== ''),
  };
}

/** The proxy on the way to an endpoint; undefined where it is called directly, as this machine itself always is. */
export function proxyFor(settings: ProxySettings | undefined, to: Endpoint): Proxy | undefined {
  const proxy = to.tls ? settings?.https : settings?.http;
  if (settings === undefined || proxy === undefined || isThisMachine(to.host)) return undefined;
  return settings.except.some((entry) => covers(entry, to)) ? undefined : proxy;
}

function proxyOf(name: string, read: (name: string) => string | undefined): Proxy | undefined {
  const text = read(name);
  if (text === undefined) return undefined;
  const address = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '')
    throw new Error(`wrong settings: ${name} must be an http or https address`);
  const tls = url.protocol === 'https:';
  const [user, password] = [decoded(name, url.username), decoded(name, url.password)];
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (tls ? 443 : 80) : Number(url.port),
    tls,
    ...(user === '' && password === '' ? {} : { authorization: `Basic ${base64(`${user}:${password}`)}` }),
  };
}

function decoded(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(`wrong settings: user and password of ${name} must be percent-encoded`);
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || inNetwork(host, '127.0.0.0', 8) || inNetwork(host, '::1', 128);
}

/** `*`, `host` with all below it, `.host` for those below alone, an address or `network/bits`; all but `*` with `:port`. */
function covers(entry: string, { host, port }: Endpoint): boolean {
  if (entry === '*') return true;
  const [, network, bits] = /^\[?([^/\]]+)\]?\/(\d{1,3})$/.exec(entry) ?? [];
  if (network !== undefined) return isAddress(network) && inNetwork(host, network, Number(bits));
  const [, name = entry, only] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(isAddress(entry) ? '' : entry) ?? [];
  if (only !== undefined && Number(only) !== port) return false;
  const wanted = name.replace(/^\*\./, '.').replace(/^\[|\]$/g, '');
  if (isAddress(wanted) || isAddress(host)) return wanted === host;
  return wanted.startsWith('.') ? host.endsWith(wanted) : host === wanted || host.endsWith(`.${wanted}`);
}
