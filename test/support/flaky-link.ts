import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { parseRegistryDomain, type RegistryDomain } from '../../domain/names/registry-domain.ts';

/** A way to a server that can be cut, and that counts what passes. */
export interface FlakyLink {
  readonly domain: RegistryDomain;
  /** Bytes that passed towards the server, and back. */
  readonly sent: number;
  readonly received: number;
  /** Connections that were cut. */
  readonly cuts: number;
  /** Requests that passed, such as `HEAD manifests` or `GET blobs`, counted. */
  readonly requests: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export interface FlakyLinkOptions {
  /** Bytes after which a connection is cut, counted in both directions together. Default: never. */
  readonly cutEvery?: number;
  /** Connections that are cut at most. Default: no limit. */
  readonly maxCuts?: number;
  /** Milliseconds that bytes take in each direction. Default: 0. */
  readonly delayMs?: number;
}

/** Opens a link to `127.0.0.1:port`. */
export async function openFlakyLink(
  target: RegistryDomain,
  options: FlakyLinkOptions = {},
): Promise<FlakyLink> {
  const port = Number(target.split(':')[1]);
  const state = { sent: 0, received: 0, cuts: 0 };
  const requests = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    let left = options.cutEvery ?? Number.POSITIVE_INFINITY;
    const cut = (): void => {
      state.cuts += 1;
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    const pass = (from: Socket, to: Socket, direction: 'sent' | 'received'): void => {
      from.on('data', (chunk: Buffer) => {
        state[direction] += chunk.byteLength;
        if (direction === 'sent') countRequests(chunk, requests);
        left -= chunk.byteLength;
        if (left <= 0 && state.cuts < (options.maxCuts ?? Number.POSITIVE_INFINITY)) return cut();
        const forward = (): void => {
          if (!to.destroyed && !to.write(chunk)) {
            from.pause();
            to.once('drain', () => from.resume());
          }
        };
        if (options.delayMs === undefined) forward();
        else setTimeout(forward, options.delayMs);
      });
      from.on('end', () => setTimeout(() => to.end(), options.delayMs ?? 0));
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
      sockets.add(from);
    };
    near.setNoDelay(true);
    far.setNoDelay(true);
    pass(near, far, 'sent');
    pass(far, near, 'received');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    domain: parseRegistryDomain(`127.0.0.1:${(server.address() as AddressInfo).port}`),
    get sent() {
      return state.sent;
    },
    get received() {
      return state.received;
    },
    requests,
    get cuts() {
      return state.cuts;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const requestLine =
  /^(GET|HEAD|POST|PUT|PATCH|DELETE) \/v2\/(?:\S*\/)?(?:(manifests|blobs|tags|referrers|_catalog)(?:[/?]\S*)?)? HTTP\/1\.1/;

/** Clients write a request's head at once, so it starts a chunk. */
function countRequests(chunk: Buffer, requests: Map<string, number>): void {
  const match = requestLine.exec(chunk.subarray(0, 1024).toString('latin1'));
  if (match === null) return;
  const key = `${match[1]} ${match[2] ?? '/v2/'}`;
  requests.set(key, (requests.get(key) ?? 0) + 1);
}
