import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ObjectStore } from '../../infra/storage/object-store.ts';
import type { S3Process } from './s3-process.ts';

/** One request as the lies see it. */
export interface StoreRequest {
  readonly method: string;
  /** Without the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

/** What is done instead of telling the truth. */
export type Lie =
  /** Answers with this, and the store never hears of it. */
  | { readonly answer: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  /** The store does it, and its answer never arrives. */
  | 'lose the answer'
  /** Half of the body, then the connection breaks. */
  | 'cut the body'
  /** Half of the body as if it were all. */
  | 'shorten the body'
  /** The store does it, whatever the condition said. */
  | 'ignore the condition'
  /** What this request was answered first, for ever. */
  | 'answer as before'
  | 'leave out the ETag'
  | 'flip a bit';

/** A real object store behind a proxy that lies on order. */
export interface LyingStore {
  readonly store: ObjectStore;
  readonly endpoint: string;
  readonly seen: StoreRequest[];
  /** Asked for each request; undefined tells the truth. */
  lie: (request: StoreRequest) => Lie | undefined;
  close(): Promise<void>;
}

/** An S3 error body. */
export const s3Error = (code: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>no</Message></Error>`;

/** Opens the proxy. */
export async function openLyingStore({ endpoint, store }: S3Process): Promise<LyingStore> {
  const kept = new Map<string, Reply>();
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const address = { endpoint: own, region: 'us-east-1', bucket: store.bucket };
  const lying: LyingStore = {
    store: new ObjectStore(address),
    endpoint: own,
    seen: [],
    lie: () => undefined,
    close: async () => {
      lying.store.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return lying;

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const asked = readRequest(incoming, store.bucket);
    lying.seen.push(asked);
    const lie = lying.lie(asked);
    if (typeof lie === 'object') {
      incoming.resume();
      outgoing.writeHead(lie.answer, { 'content-type': 'application/xml', ...lie.headers });
      return void outgoing.end(lie.body ?? '');
    }
    if (lie === 'ignore the condition') {
      await store.write(asked.key, await bodyOf(incoming));
      return void outgoing.writeHead(200, { etag: '"1"' }).end();
    }
    const name = `${asked.method} ${incoming.url}`;
    const reply = await forward(endpoint, incoming);
    if (!kept.has(name)) kept.set(name, reply);
    if (lie === 'lose the answer') return void outgoing.destroy();
    send(outgoing, lie === 'answer as before' ? (kept.get(name) ?? reply) : reply, lie);
  }
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function send(outgoing: ServerResponse, { status, headers, body }: Reply, lie: Lie | undefined): void {
  const kept: IncomingMessage['headers'] = { ...headers };
  if (lie === 'leave out the ETag') delete kept.etag;
  const half = body.subarray(0, Math.floor(body.byteLength / 2));
  if (lie === 'shorten the body') kept['content-length'] = String(half.byteLength);
  outgoing.writeHead(status, kept);
  if (lie === 'flip a bit') return void outgoing.end(body.map((byte, at) => (at === 1000 ? byte ^ 1 : byte)));
  if (lie === 'shorten the body') return void outgoing.end(half);
  if (lie !== 'cut the body') return void outgoing.end(body);
  outgoing.write(half, () => outgoing.destroy());
}

function forward(endpoint: string, incoming: IncomingMessage): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method, headers, url = '/' } = incoming;
    const onward = request(new URL(url, endpoint), { method, headers }, (answer) => {
      bodyOf(answer).then(
        (body) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body }),
        reject,
      );
    });
    onward.on('error', reject);
    incoming.pipe(onward);
  });
}

async function bodyOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function readRequest({ method = 'GET', url = '/', headers }: IncomingMessage, bucket: string): StoreRequest {
  const { pathname, searchParams } = new URL(url, 'http://store');
  const key = decodeURIComponent(pathname).replace(`/${bucket}`, '').replace(/^\//, '');
  return { method, key, query: searchParams, headers };
}
