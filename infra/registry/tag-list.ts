import { Failure } from '../../domain/failure.ts';
import { isJsonArray, isJsonObject, parseStrictJson } from '../../domain/image/strict-json.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag, type TagName } from '../../domain/names/tag.ts';
import { nextPage } from '../../domain/registry/link.ts';
import type { RequestSubject } from './answer-failure.ts';
import type { Scope } from './authenticator.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { RegistrySession } from './session.ts';

const maxPages = 1000;
const maxPageBytes = 16 * 1024 * 1024;
/** Distribution refuses more than 1000, Quay more than 100: the second is tried where the first is refused. */
const pageSizes = [1000, 100] as const;

/** One page of a repository's tags. */
interface TagPage {
  readonly tags: readonly string[];
  readonly next: URL | undefined;
}

/** All tags of a repository. Throws `RepositoryNotFound`, `ListingIncomplete` or `PaginationLoop`; never a part of them. */
export async function listAllTags(
  session: RegistrySession,
  path: RepositoryPath,
  scope: Scope,
  about: RequestSubject,
  signal?: AbortSignal,
): Promise<readonly TagName[]> {
  const tags = new Set<TagName>();
  const seen = new Set<string>();
  let page: TagPage | undefined = await firstPage(session, path, scope, about, signal);
  while (page !== undefined) {
    // What a registry lists but the grammar forbids can be neither copied nor deleted: it is left out.
    for (const tag of page.tags) if (isTag(tag)) tags.add(parseTag(tag));
    const { next }: TagPage = page;
    if (next === undefined) break;
    if (seen.has(next.href) || seen.size >= maxPages) throw new Failure('PaginationLoop', about);
    seen.add(next.href);
    page = await readPage(session, next, scope, about, signal);
    if (page === undefined) throw new Failure('ListingIncomplete', about);
  }
  return [...tags];
}

/** The first page and whether it is all; empty for a repository that does not exist. */
export async function listTagPage(
  session: RegistrySession,
  path: RepositoryPath,
  scope: Scope,
  about: RequestSubject,
  signal?: AbortSignal,
): Promise<{ readonly tags: readonly string[]; readonly complete: boolean }> {
  try {
    const page = await firstPage(session, path, scope, about, signal);
    return { tags: page.tags, complete: page.next === undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'RepositoryNotFound') return { tags: [], complete: true };
    if (error.retryable || error.code === 'Cancelled') throw error;
    return { tags: [], complete: false };
  }
}

async function firstPage(
  session: RegistrySession,
  path: RepositoryPath,
  scope: Scope,
  about: RequestSubject,
  signal: AbortSignal | undefined,
): Promise<TagPage> {
  for (const size of pageSizes) {
    const url = new URL(`/v2/${path}/tags/list?n=${size}`, session.origins.registry);
    const page = await readPage(session, url, scope, about, signal);
    if (page !== undefined) return page;
  }
  throw new Failure('ListingIncomplete', { ...about, detail: 'the page size was refused' });
}

/** Undefined where the registry refused the page size. */
async function readPage(
  session: RegistrySession,
  url: URL,
  scope: Scope,
  about: RequestSubject,
  signal: AbortSignal | undefined,
): Promise<TagPage | undefined> {
  const answer = await session.call({
    method: 'GET',
    url,
    scope,
    about: { ...about, missing: 'RepositoryNotFound' },
    maxBytes: maxPageBytes,
    tooLong: 'ListingIncomplete',
    accept: [400],
    ...(signal === undefined ? {} : { signal }),
  });
  if (answer.status === 400) return undefined;
  return { tags: parseTags(answer, about), next: nextPage(answer.all('link'), url) };
}

function parseTags(answer: HttpAnswer, about: RequestSubject): readonly string[] {
  const body = parseStrictJson(answer.body, {
    code: 'ListingIncomplete',
    maxBytes: maxPageBytes,
    maxDepth: 8,
  });
  const tags = isJsonObject(body) ? body['tags'] : undefined;
  // A repository without tags: `null` in Go programs.
  if (tags === null) return [];
  if (!isJsonArray(tags) || !tags.every((tag) => typeof tag === 'string')) {
    throw new Failure('ListingIncomplete', { ...about, detail: 'not a list of tags' });
  }
  return tags;
}

function isTag(text: string): boolean {
  try {
    parseTag(text);
    return true;
  } catch {
    return false;
  }
}
