import { Failure } from '../../domain/failure.ts';
import { isJsonArray, isJsonObject, parseStrictJson } from '../../domain/image/strict-json.ts';
import { parseRepositoryPath, type RepositoryPath } from '../../domain/names/repository-path.ts';
import { nextPage } from '../../domain/registry/link.ts';
import type { RegistrySession } from './session.ts';

const maxPages = 1000;
const maxPageBytes = 16 * 1024 * 1024;

/**
 * All repositories of a registry. Throws `ListingIncomplete` where the registry lets nobody list them, or `PaginationLoop`;
 * never a part of them.
 */
export async function listRepositories(
  session: RegistrySession,
  signal?: AbortSignal,
): Promise<readonly RepositoryPath[]> {
  const found = new Set<RepositoryPath>();
  const about = { side: 'destination', subject: session.origins.registry } as const;
  const seen = new Set<string>();
  let url: URL | undefined = new URL('/v2/_catalog?n=1000', session.origins.registry);
  while (url !== undefined) {
    if (seen.has(url.href) || seen.size >= maxPages) throw new Failure('PaginationLoop', about);
    seen.add(url.href);
    const answer = await session.call({
      method: 'GET',
      url,
      scope: { type: 'registry', path: 'catalog', actions: ['*'] },
      about: { ...about, missing: 'ListingIncomplete' },
      maxBytes: maxPageBytes,
      tooLong: 'ListingIncomplete',
      // On an object store, distribution walks through all of it for one page.
      answerTimeoutMs: 10 * session.transport.headersTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    const body = parseStrictJson(answer.body, {
      code: 'ListingIncomplete',
      maxBytes: maxPageBytes,
      maxDepth: 8,
    });
    const names = isJsonObject(body) ? body['repositories'] : undefined;
    if (!isJsonArray(names)) throw new Failure('ListingIncomplete', { ...about, detail: 'not a list' });
    for (const name of names) if (typeof name === 'string') found.add(parseRepositoryPath(name));
    url = nextPage(answer.all('link'), url);
  }
  return [...found];
}
