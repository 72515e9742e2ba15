import type { Socket } from 'node:net';
import { Failure } from '../../domain/failure.ts';
import type { Endpoint, Proxy } from '../../domain/registry/proxy.ts';

const maxHeadBytes = 16_384;

/**
 * Asks a proxy for a tunnel (RFC 9110, 9.3.6) over a connection to it. Resolves when bytes go through; rejects with
 * `NetworkError`, `Timeout` or the network's own error. Neither answer nor credential of the proxy is repeated.
 */
export function openTunnel(
  socket: Socket,
  proxy: Proxy,
  to: Pick<Endpoint, 'host' | 'port'>,
  timeoutMs: number,
): Promise<void> {
  const authority = `${to.host.includes(':') ? `[${to.host}]` : to.host}:${to.port}`;
  const sign = proxy.authorization === undefined ? '' : `proxy-authorization: ${proxy.authorization}\r\n`;
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      socket.off('data', receive).off('error', settle).off('close', closed);
      if (error === undefined) return resolve();
      socket.on('error', () => undefined).destroy();
      reject(error);
    };
    const closed = (): void => settle(refused('closed the connection'));
    const receive = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0 && head.byteLength <= maxHeadBytes) return;
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1', 0, 16))?.[1];
      if (end < 0 || status === undefined) return settle(refused('gave no HTTP answer'));
      if (!status.startsWith('2')) return settle(refused(`answered HTTP ${status}`));
      // The other side speaks after us in TLS: bytes before that are not from it.
      settle(end + 4 < head.byteLength ? refused('sent more than its answer') : undefined);
    };
    const timer = setTimeout(() => settle(new Failure('Timeout', { detail: 'the proxy' })), timeoutMs);
    socket.on('data', receive).on('error', settle).on('close', closed);
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${sign}\r\n`, 'latin1');
  });
}

function refused(what: string): Failure {
  return new Failure('NetworkError', { detail: `the proxy ${what}` });
}
