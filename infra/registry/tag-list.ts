import { Failure } from '../../domain/failure.ts';
import { isJsonArray, isJsonObject, parseStrictJson } from '../../domain/image/strict-json.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import { parseTag, type TagName } from '../../domain/names/tag.ts';
import { nextPage } from '../../domain/registry/link.ts';
import type { RequestSubject } from './answer-failure.ts';
import type { Scope } from './authenticator.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { Call, RegistrySession } from './session.ts';

const maxPages = 1000;
const maxPageBytes = 16 * 1024 * 1024;
/** Distribution refuses more than 1000, Quay more than 100: the second is tried where the first is refused. */
const pageSizes = [1000, 100] as const;

/** A registry reads all tags of its store for a page: so many times longer than usual that may take. */
const listingPatience = 4;

/** How long a page is waited for. */
type Patience = Pick<Call, 'tries' | 'answerTimeoutMs'>;

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
  const patience = { answerTimeoutMs: listingPatience * session.transport.headersTimeoutMs };
  for await (const page of tagPages(session, path, scope, about, patience, signal)) {
    // What a registry lists but the grammar forbids can be neither copied nor deleted: it is left out.
    for (const tag of page.tags) if (isTag(tag)) tags.add(parseTag(tag));
  }
  return [...tags];
}

/** The first pages and whether they are all; empty for a repository that does not exist. */
export async function listSomeTags(
  session: RegistrySession,
  path: RepositoryPath,
  scope: Scope,
  about: RequestSubject,
  pages: number,
  signal?: AbortSignal,
): Promise<{ readonly tags: readonly string[]; readonly complete: boolean }> {
  const tags: string[] = [];
  let left = pages;
  try {
    const all = { tries: 2, answerTimeoutMs: session.transport.headersTimeoutMs };
    for await (const page of tagPages(session, path, scope, about, all, signal)) {
      tags.push(...page.tags);
      left -= 1;
      if (left === 0 && page.next !== undefined) return { tags, complete: false };
    }
    return { tags, complete: true };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'RepositoryNotFound') return { tags: [], complete: true };
    if (error.code === 'Cancelled') throw error;
    // A registry may take minutes over a long list: then what is looked for is asked for by its name.
    return { tags: [], complete: false };
  }
}

/** Page after page, each asked for when it is wanted. Throws `PaginationLoop` where they do not end. */
async function* tagPages(
  session: RegistrySession,
  path: RepositoryPath,
  scope: Scope,
  about: RequestSubject,
  patience: Patience,
  signal: AbortSignal | undefined,
): AsyncGenerator<TagPage> {
  const seen = new Set<string>();
  for (let page = await firstPage(session, path, scope, about, patience, signal); ;) {
    yield page;
    const { next }: TagPage = page;
    if (next === undefined) return;
    if (seen.has(next.href) || seen.size >= maxPages) throw new Failure('PaginationLoop', about);
    seen.add(next.href);
    const read = await readPage(session, next, scope, about, patience, signal);
    if (read === undefined) throw new Failure('ListingIncomplete', about);
    page = read;
  }
}

async function firstPage(
  session: RegistrySession,
  path: RepositoryPath,
  scope: Scope,
  about: RequestSubject,
  patience: Patience,
  signal: AbortSignal | undefined,
): Promise<TagPage> {
  for (const size of pageSizes) {
    const url = new URL(`/v2/${path}/tags/list?n=${size}`, session.origins.registry);
    const page = await readPage(session, url, scope, about, patience, signal);
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
  patience: Patience,
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
    ...patience,
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
