import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { steadyBytes } from './seed.ts';

/** A registry for one image whose layer is larger than anyone wants to store; it is made while it is read. */
export interface GeneratedRegistry {
  readonly domain: string;
  readonly layerBytes: number;
  /** Digest of the manifest under `huge/app:v1`, once somebody else has pushed it as `copy/app:v1` too. */
  readonly copied: () => boolean;
  close(): Promise<void>;
}

const block = Buffer.from(steadyBytes('huge', 1_048_576));
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

interface Blob {
  readonly size: number;
  /** The bytes of [from, to). */
  readonly read: (from: number, to: number) => Iterable<Buffer>;
}

/**
 * Serves `huge/app:v1`, whose layer is one block again and again, and takes uploads under any other path: they are
 * hashed as they come, refused where the digest is another, and only their last byte is kept, for whoever reads it back.
 */
export async function serveGeneratedLayer(layerBytes: number): Promise<GeneratedRegistry> {
  const config = Buffer.from('{"architecture":"amd64","os":"linux"}');
  const layer: Blob = { size: layerBytes, read: (from, to) => repeated(from, to) };
  const hash = createHash('sha256');
  for (const part of layer.read(0, layerBytes)) hash.update(part);
  const layerDigest = `sha256:${hash.digest('hex')}`;
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: [
        { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layerDigest, size: layerBytes },
      ],
    }),
  );
  const source = new Map<string, Blob>([
    [digestOf(config), { size: config.length, read: (from, to) => [config.subarray(from, to)] }],
    [layerDigest, layer],
  ]);
  const taken = new Map<string, Blob>();
  const manifests = new Map<string, Buffer>([['huge/app:v1', manifest]]);
  const server = createServer((request, response) => {
    answer(request, response, { source, taken, manifests }).catch(() => response.destroy());
  });
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    domain: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    layerBytes,
    copied: () => manifests.get('copy/app:v1')?.equals(manifest) === true && taken.has(layerDigest),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function* repeated(from: number, to: number): Iterable<Buffer> {
  for (let at = from; at < to;) {
    const start = at % block.length;
    const part = block.subarray(start, Math.min(block.length, start + to - at));
    yield part;
    at += part.length;
  }
}

interface State {
  readonly source: ReadonlyMap<string, Blob>;
  readonly taken: Map<string, Blob>;
  readonly manifests: Map<string, Buffer>;
}

async function answer(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://x');
  const [, path = '', kind, reference = ''] =
    /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs)\/([^/]*)$/.exec(url.pathname) ?? [];
  if (kind === 'manifests') return answerManifest(request, response, state, path, reference);
  if (kind === 'blobs/uploads') return takeUpload(request, response, state, url);
  const held = path.startsWith('huge/') ? state.source : state.taken;
  const blob = kind === 'blobs' ? held.get(reference) : undefined;
  if (blob === undefined) return void response.writeHead(404).end();
  return sendBlob(request, response, blob);
}

async function sendBlob(request: IncomingMessage, response: ServerResponse, blob: Blob): Promise<void> {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? '0');
  const range = { 'content-range': `bytes ${from}-${blob.size - 1}/${blob.size}` };
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': blob.size - from,
    ...(from > 0 ? range : {}),
  });
  if (request.method === 'HEAD') return void response.end();
  for (const part of blob.read(from, blob.size)) {
    if (!response.write(part)) await once(response, 'drain');
  }
  response.end();
}

async function answerManifest(
  request: IncomingMessage,
  response: ServerResponse,
  { manifests }: State,
  path: string,
  reference: string,
): Promise<void> {
  if (request.method === 'PUT') {
    const bytes = await bodyOf(request);
    for (const name of [reference, digestOf(bytes)]) manifests.set(`${path}:${name}`, bytes);
    return void response.writeHead(201, { location: request.url ?? '' }).end();
  }
  const bytes =
    manifests.get(`${path}:${reference}`) ??
    [...manifests.values()].find((each) => digestOf(each) === reference);
  if (bytes === undefined) return void response.writeHead(404).end();
  const headers = {
    'content-type': manifestType,
    'content-length': bytes.length,
    'docker-content-digest': digestOf(bytes),
  };
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : bytes);
}

async function takeUpload(
  request: IncomingMessage,
  response: ServerResponse,
  { taken }: State,
  url: URL,
): Promise<void> {
  if (request.method === 'POST') return void response.writeHead(202, { location: `${url.pathname}x` }).end();
  const hash = createHash('sha256');
  let [size, last] = [0, Buffer.alloc(0)];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
    last = Buffer.from(chunk.subarray(-1));
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== url.searchParams.get('digest')) return void response.writeHead(400).end();
  taken.set(digest, { size, read: (from, to) => (to - from === 1 ? [last] : []) });
  response.writeHead(201, { location: url.pathname }).end();
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) parts.push(chunk);
  return Buffer.concat(parts);
}
