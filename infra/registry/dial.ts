import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { connect as netConnect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as tlsConnect, createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { Failure } from '../../domain/failure.ts';
import { mayDial, type DialRule } from '../../domain/registry/addresses.ts';

/** Where to and how a connection is opened. */
export interface DialTarget {
  /** Host name or IP address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly rule: DialRule;
  /** PEM certificates trusted besides the system's. Default: none. */
  readonly caBundle?: string;
}

export interface DialOptions {
  /** Reads into reused buffers instead of emitting `data`. Default: an ordinary stream. */
  readonly onread?: OnReadOpts;
  /** Milliseconds until the connection must stand. Default: 10 000. */
  readonly timeoutMs?: number;
}

const contexts = new Map<string, SecureContext>();

/**
 * Opens a TCP or TLS connection whose dialled address was checked, whatever the name resolved to before. Rejects with
 * the network's own error, or with `AddressRefused`.
 */
export function dial(target: DialTarget, options: DialOptions = {}): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = open(target, options);
    const timer = setTimeout(
      () => socket.destroy(new Failure('Timeout', { detail: 'connect' })),
      options.timeoutMs ?? 10_000,
    );
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', fail);
    socket.once('close', () => fail(new Failure('NetworkError', { detail: 'closed while connecting' })));
    socket.once(target.tls ? 'secureConnect' : 'connect', () => {
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
  return tlsConnect({
    ...common,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    ...(target.caBundle === undefined ? {} : { secureContext: secureContext(target.caBundle) }),
  });
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
