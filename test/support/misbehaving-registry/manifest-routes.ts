import { digestLike, digestOf, entriesOf, type HeldManifest } from './content.ts';
import type { Answer, Exchange } from './exchange.ts';
import { json, problem, type RegistryState } from './registry-state.ts';

/** HEAD, GET, PUT and DELETE of a manifest by tag or digest. */
export async function answerManifest(
  registry: RegistryState,
  exchange: Exchange,
  name: string,
  reference: string,
): Promise<Answer> {
  if (exchange.method === 'PUT') return putManifest(registry, exchange, name, reference);
  await exchange.body();
  const content = registry.repository(name);
  if (exchange.method === 'DELETE') {
    const gone = reference.includes(':')
      ? content.manifests.delete(reference)
      : content.tags.delete(reference);
    for (const [tag, digest] of content.tags) if (digest === reference) content.tags.delete(tag);
    registry.witness(name);
    return gone ? { status: 202 } : problem(404, 'MANIFEST_UNKNOWN');
  }
  const digest = content.resolve(reference);
  const manifest = digest === undefined ? undefined : content.manifests.get(digest);
  if (digest === undefined || manifest === undefined) return problem(404, 'MANIFEST_UNKNOWN');
  const headers = { 'content-type': manifest.mediaType, 'docker-content-digest': digest };
  if (exchange.method === 'HEAD')
    return { status: 200, headers: { ...headers, 'content-length': String(manifest.bytes.byteLength) } };
  return { status: 200, headers, body: manifest.bytes };
}

async function putManifest(
  registry: RegistryState,
  exchange: Exchange,
  name: string,
  reference: string,
): Promise<Answer> {
  const content = registry.repository(name);
  const bytes = await exchange.body();
  if (bytes.byteLength > 4 * 1024 * 1024) return problem(400, 'MANIFEST_INVALID');
  const manifest: HeldManifest = { mediaType: exchange.header('content-type') ?? '', bytes };
  const digest = reference.includes(':') ? reference : digestOf(bytes);
  if (digestLike(digest, bytes) !== digest) {
    registry.wrongDigestCommits += 1;
    return problem(400, 'DIGEST_INVALID');
  }
  const missing = missingParts(registry, name, manifest);
  if (missing !== undefined) return missing;
  const isTag = !reference.includes(':');
  const before = content.tags.get(reference);
  if (isTag && registry.options.immutableTags === true && before !== undefined && before !== digest) {
    return problem(412, 'PRECONDITION');
  }
  content.manifests.set(digest, manifest);
  if (isTag) content.tags.set(reference, digest);
  registry.witness(name, isTag ? reference : undefined);
  const { subject } = entriesOf(manifest);
  const told =
    subject === undefined || registry.options.referrersApi === false ? {} : { 'oci-subject': subject };
  return {
    status: 201,
    headers: { location: `/v2/${name}/manifests/${digest}`, 'docker-content-digest': digest, ...told },
  };
}

function missingParts(registry: RegistryState, name: string, manifest: HeldManifest): Answer | undefined {
  if (registry.options.checksManifests === false) return undefined;
  const content = registry.repository(name);
  const { blobs, children } = entriesOf(manifest);
  if (blobs.some((blob) => !content.blobs.has(blob) && !content.ghosts.has(blob)))
    return problem(400, 'MANIFEST_BLOB_UNKNOWN');
  const gone = registry.options.sparse !== true && children.some((child) => !content.manifests.has(child));
  return gone ? problem(400, 'MANIFEST_BLOB_UNKNOWN') : undefined;
}

/** tags/list with `n` and `last`. */
export async function answerTags(registry: RegistryState, exchange: Exchange, name: string): Promise<Answer> {
  await exchange.body();
  if (!registry.repositories.has(name)) return problem(404, 'NAME_UNKNOWN');
  const { searchParams } = exchange.url;
  const last = searchParams.get('last') ?? '';
  const limit = Math.min(Number(searchParams.get('n') ?? 1000), 1000);
  const rest = [...registry.repository(name).tags.keys()].sort().filter((tag) => tag > last);
  const page = rest.slice(0, limit);
  const link = `</v2/${name}/tags/list?last=${page.at(-1)}&n=${limit}>; rel="next"`;
  return {
    status: 200,
    headers: rest.length > page.length ? { ...json, link } : json,
    body: JSON.stringify({ name, tags: page }),
  };
}

/** The referrers API. */
export function answerReferrers(registry: RegistryState, name: string, subject: string): Answer {
  if (registry.options.referrersApi === false) return { status: 404, body: '404 page not found' };
  const manifests = [...registry.repository(name).manifests].flatMap(([digest, manifest]) => {
    if (entriesOf(manifest).subject !== subject) return [];
    const body = JSON.parse(manifest.bytes.toString()) as {
      artifactType?: string;
      config?: { mediaType: string };
    };
    const artifactType = body.artifactType ?? body.config?.mediaType;
    return [{ mediaType: manifest.mediaType, digest, size: manifest.bytes.byteLength, artifactType }];
  });
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  return {
    status: 200,
    headers: { 'content-type': mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
  };
}
