import { Failure } from '../../../domain/failure.ts';
import {
  harborName,
  maxHarborPageBytes,
  parseHarborArtifacts,
  type HarborArtifact,
} from '../../../domain/registry/harbor-page.ts';
import type { RepositoryPath } from '../../../domain/names/repository-path.ts';
import { answerFailure } from '../answer-failure.ts';
import { basicCredential } from '../basic-credential.ts';
import type { HttpAnswer } from '../http-answer.ts';
import type { GarbageOutcome, SiteContext } from './provider.ts';

/** Harbor refuses more with 422. */
const pageSize = 100;
const maxPages = 1000;

interface ApiCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  /** Statuses besides 2xx that are answers. */
  readonly accept?: readonly number[];
}

/**
 * Asks Harbor to collect its garbage now. Only a system administrator may: for others it is `refused`. Untagged artifacts
 * go along only where the site says so (`gcDeletesUntagged`).
 */
export async function collectHarborGarbage(context: SiteContext): Promise<GarbageOutcome> {
  const answer = await harborCall(context, {
    method: 'POST',
    path: '/system/gc/schedule',
    body: {
      schedule: { type: 'Manual' },
      parameters: { delete_untagged: context.access.gcDeletesUntagged === true },
    },
    accept: [401, 403, 409],
  });
  if (answer.ok) return 'asked';
  return answer.status === 409 ? 'running' : 'refused';
}

/** When the artifacts of a repository were last pulled: all of them, or it throws. */
export async function harborPulls(
  context: SiteContext,
  path: RepositoryPath,
): Promise<readonly HarborArtifact[]> {
  const name = harborName(path);
  if (name === undefined) return [];
  const base = `/projects/${name.project}/repositories/${name.repository}/artifacts?with_tag=false&page_size=${pageSize}`;
  const artifacts: HarborArtifact[] = [];
  for (let page = 1; page <= maxPages; page += 1) {
    const answer = await harborCall(context, { method: 'GET', path: `${base}&page=${page}`, accept: [404] });
    if (answer.status === 404) return artifacts;
    const found = parseHarborArtifacts(answer.body);
    artifacts.push(...found);
    if (found.length < pageSize) return artifacts;
  }
  throw new Failure('PaginationLoop', { side: 'destination', subject: path });
}

/** One call with Basic: Harbor's API takes the account's name and password, or a robot's, and no registry token. */
async function harborCall(context: SiteContext, call: ApiCall): Promise<HttpAnswer> {
  const { access, session, signal } = context;
  const about = { side: 'destination', subject: access.domain } as const;
  const send = (): Promise<HttpAnswer> =>
    session.transport.exchange({
      method: call.method,
      url: new URL(`/api/v2.0${call.path}`, session.origins.registry),
      headers: {
        'user-agent': 'imageferry',
        accept: 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(access.credential === undefined ? {} : { authorization: basicCredential(access.credential) }),
      },
      ...(call.body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(call.body)) }),
      maxBytes: maxHarborPageBytes,
      ...(signal === undefined ? {} : { signal }),
    });
  const answer = await session.budget.calls.run(send, signal).catch((error: unknown) => {
    throw session.blame(error, about);
  });
  const later = session.judge(answer, about);
  if (later !== undefined) throw later;
  if (answer.ok || call.accept?.includes(answer.status) === true) return answer;
  throw answerFailure(answer, about);
}
