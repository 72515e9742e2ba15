import { digestLike, type HeldUpload } from './content.ts';
import type { Answer, Exchange } from './exchange.ts';
import { problem, type RegistryState } from './registry-state.ts';

/** HEAD, GET (with Range) and DELETE of a blob. */
export async function answerBlob(
  registry: RegistryState,
  exchange: Exchange,
  name: string,
  digest: string,
): Promise<Answer> {
  const content = registry.repository(name);
  await exchange.body();
  const ghost = content.ghosts.get(digest);
  const blob = content.blobs.get(digest);
  if (exchange.method === 'DELETE') {
    content.blobs.delete(digest);
    registry.witness(name);
    return { status: 202 };
  }
  if (blob === undefined && ghost !== undefined) return answerGhost(exchange, ghost);
  if (blob === undefined) return problem(404, 'BLOB_UNKNOWN');
  const headers = {
    'docker-content-digest': digest,
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
  };
  if (exchange.method === 'HEAD')
    return { status: 200, headers: { ...headers, 'content-length': String(blob.byteLength) } };
  const range = /^bytes=(\d+)-(\d*)$/.exec(exchange.header('range') ?? '');
  if (range === null) return { status: 200, headers, body: blob };
  return answerRange(
    blob,
    Number(range[1]),
    range[2] === '' ? blob.byteLength - 1 : Number(range[2]),
    headers,
  );
}

function answerRange(
  blob: Buffer,
  first: number,
  asked: number,
  headers: Readonly<Record<string, string>>,
): Answer {
  const last = Math.min(asked, blob.byteLength - 1);
  if (first > last)
    return { ...problem(416, 'RANGE_INVALID'), headers: { 'content-range': `bytes */${blob.byteLength}` } };
  const contentRange = `bytes ${first}-${last}/${blob.byteLength}`;
  return {
    status: 206,
    headers: { ...headers, 'content-range': contentRange },
    body: blob.subarray(first, last + 1),
  };
}

/** What distribution 3.1.2 does for a blob that its cache knows and its disk does not. */
function answerGhost(exchange: Exchange, size: number): Answer {
  if (exchange.method === 'HEAD') return { status: 200, headers: { 'content-length': String(size) } };
  exchange.trace.status = 200;
  exchange.response.writeHead(200, { 'content-length': String(size) });
  exchange.response.flushHeaders();
  exchange.response.destroy();
  throw new Error('the socket is gone');
}

/** POST (with mount and with a whole body), PATCH, PUT, GET and DELETE of an upload. */
export async function answerUpload(
  registry: RegistryState,
  exchange: Exchange,
  name: string,
  id: string,
): Promise<Answer> {
  if (exchange.method === 'POST') return startUpload(registry, exchange, name);
  const content = registry.repository(name);
  const upload = content.uploads.get(id);
  if (upload === undefined) {
    await exchange.body();
    return problem(404, 'BLOB_UPLOAD_UNKNOWN');
  }
  if (exchange.method === 'DELETE') {
    content.uploads.delete(id);
    return { status: 204 };
  }
  if (exchange.method === 'GET') return { status: 204, headers: session(exchange, name, id, upload) };
  const start = /^(?:bytes )?(\d+)-/.exec(exchange.header('content-range') ?? '')?.[1];
  if (start !== undefined && Number(start) !== upload.size) {
    await exchange.body();
    return { status: 416, headers: session(exchange, name, id, upload) };
  }
  await exchange.readBody((chunk) => {
    upload.chunks.push(Buffer.from(chunk));
    upload.size += chunk.byteLength;
  });
  if (exchange.method === 'PATCH') return { status: 202, headers: session(exchange, name, id, upload) };
  content.uploads.delete(id);
  return commit(registry, exchange, name, Buffer.concat(upload.chunks));
}

async function startUpload(registry: RegistryState, exchange: Exchange, name: string): Promise<Answer> {
  const content = registry.repository(name);
  const mount = exchange.url.searchParams.get('mount');
  const from = exchange.url.searchParams.get('from');
  const blob =
    mount === null || from === null ? undefined : registry.repositories.get(from)?.blobs.get(mount);
  if (mount !== null && blob !== undefined) {
    content.blobs.set(mount, blob);
    return {
      status: 201,
      headers: { location: `/v2/${name}/blobs/${mount}`, 'docker-content-digest': mount },
    };
  }
  if (exchange.url.searchParams.has('digest')) return commit(registry, exchange, name, await exchange.body());
  await exchange.body();
  const id = content.openUpload();
  return { status: 202, headers: session(exchange, name, id, { chunks: [], size: 0 }) };
}

function session(exchange: Exchange, name: string, id: string, upload: HeldUpload): Record<string, string> {
  return {
    location: `${exchange.scheme}://${exchange.header('host') ?? ''}/v2/${name}/blobs/uploads/${id}?_state=s%3D`,
    range: `0-${Math.max(0, upload.size - 1)}`,
    'docker-upload-uuid': id,
  };
}

function commit(registry: RegistryState, exchange: Exchange, name: string, bytes: Buffer): Answer {
  const digest = exchange.url.searchParams.get('digest') ?? '';
  if (digestLike(digest, bytes) !== digest) {
    registry.wrongDigestCommits += 1;
    if (registry.options.acceptsWrongDigests !== true) return problem(400, 'DIGEST_INVALID');
  }
  const content = registry.repository(name);
  content.ghosts.delete(digest);
  content.blobs.set(digest, bytes);
  return {
    status: 201,
    headers: { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest },
  };
}
