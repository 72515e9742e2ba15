import { createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** What a proxy was asked: method and target as they came, and the two headers that must not be mixed up. */
export interface ProxyCall {
  readonly line: string;
  readonly proxyAuthorization: string | undefined;
  readonly authorization: string | undefined;
}

/** A forward proxy that takes every name for this machine: tunnels for CONNECT, passes on what has a whole address. */
export class ForwardProxy {
  readonly calls: ProxyCall[] = [];
  /** Answer to all, in place of doing it. Default: it does it. */
  refusal: number | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((from, to) => {
    this.#note(`${from.method} ${from.url}`, from.headers);
    if (this.refusal !== undefined || !URL.canParse(from.url ?? ''))
      return to.writeHead(this.refusal ?? 400).end();
    const url = new URL(from.url ?? '');
    const { 'proxy-authorization': _own, ...headers } = from.headers;
    const path = url.pathname + url.search;
    const onward = request(
      { host: '127.0.0.1', port: url.port, method: from.method, path, headers },
      (answer) => {
        to.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(to);
      },
    );
    onward.on('error', () => to.destroy());
    return from.pipe(onward);
  });

  static async start(): Promise<ForwardProxy> {
    const proxy = new ForwardProxy();
    proxy.#server.on('connect', (from, client, early) => {
      proxy.#note(`CONNECT ${from.url}`, from.headers);
      if (proxy.refusal !== undefined) return client.end(`HTTP/1.1 ${proxy.refusal} No\r\n\r\n`);
      const server = connect(Number(from.url?.split(':').at(-1)), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        if (early.byteLength > 0) server.write(early);
        server.pipe(client).pipe(server);
      });
      proxy.#sockets.add(server);
      for (const end of [client, server])
        end.on('error', () => [client, server].map((each) => each.destroy()));
      return undefined;
    });
    proxy.#server.on('connection', (socket: Socket) => proxy.#sockets.add(socket));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #note(line: string, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    const text = (name: string): string | undefined => headers[name]?.toString();
    this.calls.push({
      line,
      proxyAuthorization: text('proxy-authorization'),
      authorization: text('authorization'),
    });
  }
}
