import type { RegistryEndpoint } from '../endpoints.ts';
import type { Content, Image } from './image.ts';

/**
 * The demo's own few lines of registry protocol. On purpose not the product's client: what puts the image in and checks
 * it afterwards should not share a mistake with what carries it.
 */
export interface DemoRegistry {
  /** Puts an image in under a tag; what is there already is left. Gives back the bytes sent. */
  push(repository: string, tag: string, image: Image): Promise<number>;
  /** The exact bytes of a manifest. */
  manifest(repository: string, reference: string): Promise<Buffer>;
  blob(repository: string, digest: string): Promise<Buffer>;
}

const manifestTypes = ['index', 'manifest']
  .map((kind) => `application/vnd.oci.image.${kind}.v1+json`)
  .join(', ');

interface Call {
  readonly method?: 'HEAD' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** Access to one of the stack's registries. */
export function demoRegistry({ domain, username, password }: RegistryEndpoint): DemoRegistry {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const call = async (path: string, init: Call, expected: number): Promise<Response> => {
    const url = new URL(path, `http://${domain}`);
    const headers = { authorization, accept: manifestTypes, ...init.headers };
    const response = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(60_000) });
    if (response.status !== expected)
      throw new Error(
        `${init.method ?? 'GET'} ${url.pathname} answered ${response.status}: ${await response.text()}`,
      );
    return response;
  };
  const read = async (path: string): Promise<Buffer> =>
    Buffer.from(await (await call(path, {}, 200)).arrayBuffer());
  const has = async (path: string): Promise<boolean> => {
    const found = await call(path, { method: 'HEAD' }, 200).catch(() => undefined);
    return found !== undefined;
  };
  const pushBlob = async (repository: string, blob: Content): Promise<number> => {
    if (await has(`/v2/${repository}/blobs/${blob.digest}`)) return 0;
    const upload = await call(`/v2/${repository}/blobs/uploads/`, { method: 'POST' }, 202);
    const location = new URL(upload.headers.get('location') ?? '', `http://${domain}`);
    location.searchParams.set('digest', blob.digest);
    const headers = { 'content-type': 'application/octet-stream' };
    await call(location.href, { method: 'PUT', body: new Uint8Array(blob.bytes), headers }, 201);
    return blob.bytes.length;
  };
  return {
    async push(repository, tag, { index, manifests, blobs }) {
      let sent = 0;
      for (const blob of blobs) sent += await pushBlob(repository, blob);
      for (const manifest of manifests) {
        const reference = manifest === index ? tag : manifest.digest;
        const headers = { 'content-type': manifest.mediaType };
        const body = new Uint8Array(manifest.bytes);
        await call(`/v2/${repository}/manifests/${reference}`, { method: 'PUT', body, headers }, 201);
      }
      return sent;
    },
    manifest: (repository, reference) => read(`/v2/${repository}/manifests/${reference}`),
    blob: (repository, digest) => read(`/v2/${repository}/blobs/${digest}`),
  };
}
