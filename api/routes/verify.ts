import type { z } from '@hono/zod-openapi';
import type { Language } from '../../domain/api/status.ts';
import { silenceLimitMs } from '../../domain/api/worker-silence.ts';
import { describeFailure, Failure, type FailureCode } from '../../domain/failure.ts';
import { parseRegistryDomain } from '../../domain/names/registry-domain.ts';
import type { RegistryAccess } from '../../infra/copy/engine.ts';
import type { VerifyVerdict } from '../../infra/temporal/gateway.ts';
import type { Call } from '../context.ts';
import { route, type Answer, type Route } from '../route.ts';
import { groupVersion } from '../schema/meta.ts';
import { noQuery, objectParameters } from '../schema/parameters.ts';
import { verifyAnswerSchema, verifyRequestSchema } from '../schema/registry-secret.ts';
import type { RouteTools } from './tools.ts';

/** Longest wait for a connection test, in milliseconds; shorter than the time after which the server drops a quiet connection. */
const verifyMs = 25_000;
const words = { en: 'Connection succeeded', zh: '连接成功' } as const;

type VerifyRequest = z.output<typeof verifyRequestSchema>;
type VerifyCall = Call<z.output<typeof objectParameters>, unknown, VerifyRequest>;

/** The connection test, of a stored credential or of one that is not stored yet. */
export function verifyRoute(tools: RouteTools): Route {
  return route(
    {
      kind: 'RegistrySecret',
      tag: 'Registry secrets',
      method: 'post',
      path: '/namespaces/{ns}/registry-secrets/{name}/verify',
      operationId: 'verifyRegistrySecret',
      summary: 'Test the connection with the stored credential, or with one that is given',
      access: { verb: 'create', resource: 'registrysecrets', subresource: 'verify' },
      params: objectParameters,
      query: noQuery,
      body: { schema: verifyRequestSchema, optional: true },
      answers: { 200: { description: 'How the test went', schema: verifyAnswerSchema } },
    },
    (call) => (Object.keys(call.body).length === 0 ? verifyStored(tools, call) : verifyGiven(tools, call)),
  );
}

/** Through the workflow, so that the result is kept and Temporal's history tells of it. */
async function verifyStored(tools: RouteTools, call: VerifyCall): Promise<Answer> {
  const key = { namespace: call.params.ns, name: call.params.name };
  const secret = await tools.clients.resource('registrysecrets').get(key);
  if (secret === undefined)
    throw new Failure('NotFound', { side: 'caller', subject: `registrysecrets ${key.name}` });
  const run = await tools.workflows.startVerify(key);
  const failure = await tools.workflows
    .awaitVerify(run, verifyMs)
    .then(failureOf, (error: unknown) => stillTesting(tools, secret.spec.domain, error));
  await tools.record(call, secret, 'VerifyConnection', failure?.code);
  return answer(call.language, failure, run.workflowId);
}

const failureOf = ({ success, reason, detail }: VerifyVerdict): VerdictFailure | undefined =>
  success ? undefined : { code: reason ?? 'Internal', ...(detail === undefined ? {} : { detail }) };

/** A registry that says nothing is an answer like one that refuses; that nobody tests it is trouble of our own. */
function stillTesting(tools: RouteTools, domain: string, error: unknown): VerdictFailure {
  if (!(error instanceof Failure) || error.code !== 'Timeout') throw error;
  const silenceMs = tools.workerSilenceMs?.() ?? 0;
  if (silenceMs < silenceLimitMs) return noAnswer(domain);
  const detail = `no worker has been heard of for ${Math.round(silenceMs / 1000)} s`;
  throw new Failure('EngineUnavailable', { side: 'cluster', detail });
}

const noAnswer = (domain: string): VerdictFailure => ({
  code: 'Timeout',
  subject: domain,
  detail: `no answer within ${verifyMs / 1000} s`,
});

/** Directly, never through a workflow: a credential must not get into its history. Nothing is stored. */
async function verifyGiven(tools: RouteTools, call: VerifyCall): Promise<Answer> {
  const access = givenAccess(call.body);
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(verifyMs)]);
  const failure = await tools.verifier.verify(access, [], signal).then(
    () => undefined,
    (error: unknown) => verdictOf(error, access.domain, signal),
  );
  const metadata = { namespace: call.params.ns, name: call.params.name };
  const about = { apiVersion: groupVersion, kind: 'RegistrySecret', metadata } as const;
  await tools.record(call, about, 'VerifyConnection', failure?.code);
  return answer(call.language, failure);
}

/** The stored password is never sent to a host that the caller chose: all three are given, or none. */
function givenAccess(body: VerifyRequest): RegistryAccess {
  const {
    domain,
    username,
    password,
    provider = 'other',
    insecure,
    caBundle,
    allowPrivate,
    allowedRealms,
  } = body;
  if (domain === undefined || username === undefined || password === undefined) {
    throw new Failure('InvalidRequest', {
      side: 'caller',
      detail: 'give domain, username and password, or an empty object to test what is stored',
    });
  }
  return {
    domain: parseRegistryDomain(domain),
    provider,
    credential: { username, password },
    ...(insecure === undefined ? {} : { insecure }),
    ...(caBundle === undefined ? {} : { caBundle }),
    ...(allowPrivate === undefined ? {} : { allowPrivate }),
    ...(allowedRealms === undefined ? {} : { allowedRealms }),
  };
}

interface VerdictFailure {
  readonly code: FailureCode;
  readonly subject?: string;
  readonly detail?: string;
}

/** A registry's refusal is the answer. What is wrong with ourselves is an error. */
function verdictOf(error: unknown, domain: string, signal: AbortSignal): VerdictFailure {
  if (!(error instanceof Failure)) {
    if (signal.aborted) return noAnswer(domain);
    throw error;
  }
  return {
    code: error.code,
    ...(error.subject === undefined ? {} : { subject: error.subject }),
    ...(error.detail === undefined ? {} : { detail: error.detail }),
  };
}

function answer(language: Language, failure: VerdictFailure | undefined, workflowId?: string): Answer {
  const messages =
    failure === undefined
      ? words
      : {
          en: describeFailure(failure.code, failure, 'en'),
          zh: describeFailure(failure.code, failure, 'zh'),
        };
  return {
    status: 200,
    body: {
      success: failure === undefined,
      message: messages[language],
      messages,
      ...(failure === undefined ? {} : { reason: failure.code }),
      ...(workflowId === undefined ? {} : { workflowId }),
    },
  };
}
