import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { lookup as lookupAll } from 'node:dns/promises';
import { connect as netConnect, isIP, type OnReadOpts, type Socket } from 'node:net';
import {
  connect as tlsConnect,
  createSecureContext,
  rootCertificates,
  type ConnectionOptions,
  type SecureContext,
} from 'node:tls';
import { Failure } from '../../domain/failure.ts';
import { mayDial, type DialRule } from '../../domain/registry/addresses.ts';
import type { Proxy } from '../../domain/registry/proxy.ts';
import { openTunnel } from './proxy-tunnel.ts';

/** Where to and how a connection is opened. */
export interface DialTarget {
  /** Host name or IP address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly rule: DialRule;
  /** PEM certificates trusted besides the system's. Default: none. */
  readonly caBundle?: string;
  /** Default: none, the host is called directly. */
  readonly proxy?: Proxy;
}

export interface DialOptions {
  /** Reads into reused buffers instead of emitting `data`. Default: an ordinary stream. */
  readonly onread?: OnReadOpts;
  /** Milliseconds until the connection must stand. Default: 10 000. */
  readonly timeoutMs?: number;
}

/** Milliseconds until a connection must stand. */
const connectTimeoutMs = 10_000;

const contexts = new Map<string, SecureContext>();

/**
 * Opens a TCP or TLS connection whose dialled address was checked, whatever the name resolved to before. Rejects with
 * the network's own error, or with `AddressRefused`.
 */
export async function dial(target: DialTarget, options: DialOptions = {}): Promise<Socket> {
  const { proxy } = target;
  if (proxy === undefined) return established(open(target, options), target.tls, options);
  await guardResolved(target);
  const raw = proxy.tls
    ? tlsConnect({ ...hostOf(proxy), ...tlsOptions(proxy.host, target.caBundle) })
    : netConnect({ ...hostOf(proxy), keepAlive: true, noDelay: true });
  const toProxy = await established(raw, proxy.tls, options);
  if (!target.tls) return readInto(toProxy, options);
  await openTunnel(toProxy, proxy, target, options.timeoutMs ?? connectTimeoutMs);
  const tls = tlsConnect({ socket: toProxy, ...tlsOptions(target.host, target.caBundle) });
  return readInto(await established(tls, true, options), options);
}

function hostOf({ host, port }: Proxy): { readonly host: string; readonly port: number } {
  return { host, port };
}

/** Resolves when the connection stands, rejects where it does not in time. */
function established(socket: Socket, tls: boolean, options: DialOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => socket.destroy(new Failure('Timeout', { detail: 'connect' })),
      options.timeoutMs ?? connectTimeoutMs,
    );
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', fail);
    socket.once('close', () => fail(new Failure('NetworkError', { detail: 'closed while connecting' })));
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.removeListener('error', fail);
      socket.removeAllListeners('close');
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

function open(target: DialTarget, options: DialOptions): Socket {
  if (isIP(target.host) !== 0) guardAddress(target.host, target.rule);
  const common = {
    host: target.host,
    port: target.port,
    lookup: guardedLookup(target.rule),
    ...(options.onread === undefined ? {} : { onread: options.onread }),
  };
  if (!target.tls) return netConnect({ ...common, keepAlive: true, noDelay: true });
  return tlsConnect({ ...common, ...tlsOptions(target.host, target.caBundle) });
}

function tlsOptions(host: string, caBundle: string | undefined): ConnectionOptions {
  return {
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    ...(caBundle === undefined ? {} : { secureContext: secureContext(caBundle) }),
  };
}

/** What `onread` does, for sockets that Node does not do it for: those inside others. */
function readInto(socket: Socket, { onread }: DialOptions): Socket {
  if (onread === undefined) return socket;
  socket.on('data', (chunk: Buffer) => {
    if (!onread.callback(chunk.byteLength, chunk)) socket.pause();
  });
  return socket;
}

/** Behind a proxy, names may resolve only there; where one resolves here too, it must be to what may be called. */
async function guardResolved({ host, rule }: DialTarget): Promise<void> {
  if (isIP(host) !== 0) return guardAddress(host, rule);
  const addresses = await lookupAll(host, { all: true }).catch(() => []);
  for (const { address } of addresses) guardAddress(address, rule);
}

/** The system's certificates stay trusted: a private token server and a public CDN may serve the same registry. */
function secureContext(caBundle: string): SecureContext {
  const known = contexts.get(caBundle);
  if (known !== undefined) return known;
  if (contexts.size >= 256) contexts.clear();
  const context = createSecureContext({ ca: [...rootCertificates, caBundle] });
  contexts.set(caBundle, context);
  return context;
}

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** Throws `AddressRefused` for an address that may not be dialled. */
function guardAddress(address: string, rule: DialRule): void {
  const verdict = mayDial(address, rule);
  if (!verdict.allowed) throw new Failure('AddressRefused', { subject: address, detail: verdict.reason });
}

function guardedLookup(rule: DialRule) {
  return (hostname: string, options: LookupOptions, callback: LookupCallback): void => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      try {
        for (const { address } of addresses) guardAddress(address, rule);
      } catch (refusal) {
        return callback(refusal as NodeJS.ErrnoException, []);
      }
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      return callback(null, first?.address ?? '', first?.family ?? 4);
    });
  };
}
