import { z } from '@hono/zod-openapi';
import { asFailure, Failure } from '../../domain/failure.ts';
import { compareVersions, type DescribedVersion } from '../../domain/lifecycle/versions.ts';
import { parseDigest, type Digest } from '../../domain/names/digest.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { sitePath } from '../../domain/sync/site-path.ts';
import { chooseSites } from '../../domain/sync/site-choice.ts';
import type { RepositoryEndpoint } from '../../infra/copy/engine.ts';
import { route, type Route } from '../route.ts';
import { comparisonSchema } from '../schema/lifecycle.ts';
import { objectParameters } from '../schema/parameters.ts';
import { existingRepository } from './repositories.ts';
import type { RouteTools } from './tools.ts';
import { optional } from '../schema/optional.ts';

const query = z.object({
  from: z.string().max(200).openapi({ description: 'Digest' }),
  to: optional(z.string().max(200)).openapi({ description: 'Digest. Default: the current one' }),
});

/** Compares two versions of an image by their layers. */
export const compareRoute = (tools: RouteTools): Route =>
  route(
    {
      kind: 'Repository',
      tag: 'Lifecycle',
      method: 'get',
      path: '/namespaces/{ns}/repositories/{name}/versions/compare',
      operationId: 'compareVersions',
      summary: 'Layers that two versions share, and what each adds',
      access: { verb: 'get', resource: 'repositories' },
      params: objectParameters,
      query,
      answers: { 200: { description: 'How they differ', schema: comparisonSchema } },
    },
    async (call) => {
      const repository = await existingRepository(tools, call.params);
      const from = parseDigest(call.query.from);
      const to = parseDigest(call.query.to ?? repository.status?.digest ?? '');
      const places = await placesOf(tools, repository);
      const [before, after] = await Promise.all(
        [from, to].map((digest) => describe(tools, places, digest, call.signal)),
      );
      if (before === undefined || after === undefined) throw new Failure('ManifestNotFound');
      return { status: 200, body: compareVersions(before, after) };
    },
  );

/** The sites first: looking there costs upstream nothing. */
async function placesOf(tools: RouteTools, { spec, metadata }: Repository): Promise<RepositoryEndpoint[]> {
  const sites = chooseSites(spec, tools.caches.cache('edgesites').list()).connected;
  const atSites = sites.map(async (site) => ({
    registry: await tools.credentials.siteAccess(site),
    path: sitePath(site, spec.repository),
  }));
  const namespace = metadata.namespace ?? '';
  const ref = { namespace: spec.registryRef.namespace ?? namespace, name: spec.registryRef.name };
  const upstream = async (): Promise<RepositoryEndpoint> => ({
    registry: await tools.credentials.registryAccess(ref, namespace),
    path: parseRepositoryPath(spec.repository),
  });
  const settled = await Promise.allSettled([...atSites, upstream()]);
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/** The version from the first place that has it. Throws `ManifestNotFound`, or why the last place could not say. */
async function describe(
  tools: RouteTools,
  places: readonly RepositoryEndpoint[],
  digest: Digest,
  signal: AbortSignal,
): Promise<DescribedVersion> {
  let failure = new Failure('ManifestNotFound', { side: 'caller', subject: digest });
  for (const place of places) {
    try {
      const root = await tools.lifecycle.engine.resolve(place, digest, signal);
      if (root !== undefined)
        return { digest, manifest: await tools.lifecycle.engine.describe(place, root, signal) };
    } catch (error) {
      failure = asFailure(error);
    }
  }
  throw failure;
}
