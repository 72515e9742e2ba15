import { createCipheriv, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cacheFolder, installed, textOf } from '../install/cache.ts';
import type { Progress } from '../install/progress.ts';
import { run } from '../install/run.ts';
import { tar } from './tar.ts';

/** Something of an image by its digest, with its exact bytes. */
export interface Content {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

/** A whole image: all blobs, then all manifests, the last one the index. */
export interface Image {
  readonly index: Content;
  readonly manifests: readonly Content[];
  readonly blobs: readonly Content[];
}

const oci = 'application/vnd.oci.image';
const architectures = ['amd64', 'arm64'] as const;
const hello = join(import.meta.dirname, '..', 'build', 'hello');

/**
 * The demo image: a real program for two platforms, in three layers each, two of which the platforms share; about 26 MB.
 * The same bytes at every start.
 */
export async function demoImage(progress: Progress): Promise<Image> {
  const system = layer([
    ['etc/passwd', 'nobody:x:65534:65534:nobody:/:/sbin/nologin\n'],
    ['etc/os-release', 'NAME="Imageferry demo"\nID=imageferry-demo\n'],
  ]);
  const data = layer([['data/map.bin', incompressible(24 << 20)]]);
  const platforms = await Promise.all(
    architectures.map(async (architecture) => {
      const program = readFileSync(await helloFor(architecture, progress));
      return platformImage(architecture, [system, data, layer([['hello', program]])]);
    }),
  );
  const index = content(`${oci}.index.v1+json`, {
    schemaVersion: 2,
    mediaType: `${oci}.index.v1+json`,
    manifests: platforms.map(({ manifest, architecture }) => ({
      ...descriptor(manifest),
      platform: { architecture, os: 'linux' },
    })),
    annotations: { 'org.opencontainers.image.title': 'hello', 'org.opencontainers.image.version': '1.0' },
  });
  const blobs = new Map(platforms.flatMap((one) => one.blobs).map((blob) => [blob.digest, blob]));
  return { index, manifests: [...platforms.map((one) => one.manifest), index], blobs: [...blobs.values()] };
}

function helloFor(architecture: string, progress: Progress): Promise<string> {
  return installed(
    {
      name: `hello-${architecture}`,
      version: '1.0',
      recipe: textOf(hello, 'go.mod', 'main.go'),
      install: async (folder) => {
        const flags = ['-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid='];
        await run('go', ['build', ...flags, '-o', join(folder, `hello-${architecture}`), '.'], {
          cwd: hello,
          env: { CGO_ENABLED: '0', GOOS: 'linux', GOARCH: architecture, GOWORK: 'off' },
        });
      },
    },
    progress,
    cacheFolder(),
  );
}

interface Layer extends Content {
  /** Digest before compression. */
  readonly diffId: string;
}

function layer(files: readonly (readonly [path: string, content: string | Uint8Array])[]): Layer {
  const archive = tar(
    files.map(([path, text]) => ({
      path,
      mode: path === 'hello' ? 0o755 : 0o644,
      content: typeof text === 'string' ? Buffer.from(text) : text,
    })),
  );
  return {
    ...content(`${oci}.layer.v1.tar+gzip`, gzipSync(archive, { level: 1 })),
    diffId: sha256(archive),
  };
}

function platformImage(architecture: string, layers: readonly Layer[]) {
  const config = content(`${oci}.config.v1+json`, {
    created: '2026-01-01T00:00:00Z',
    architecture,
    os: 'linux',
    config: { Entrypoint: ['/hello'], User: '65534' },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = content(`${oci}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: descriptor(config),
    layers: layers.map(descriptor),
  });
  return { architecture, manifest, blobs: [config, ...layers] };
}

function content(mediaType: string, value: Buffer | object): Content {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  return { mediaType, digest: sha256(bytes), bytes };
}

function descriptor({ mediaType, digest, bytes }: Content) {
  return { mediaType, digest, size: bytes.length };
}

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The same bytes at every call, and as hard to compress as real data. */
function incompressible(size: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 'imageferry'), Buffer.alloc(16)).update(
    Buffer.alloc(size),
  );
}
