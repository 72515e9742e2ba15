import { ApiException } from '@kubernetes/client-node';
import { Failure, type FailureCode } from '../../domain/failure.ts';

const byStatus: Readonly<Record<number, FailureCode>> = {
  400: 'InvalidRequest',
  401: 'ClusterUnavailable',
  403: 'AccessDenied',
  404: 'NotFound',
  409: 'Conflict',
  413: 'PayloadTooLarge',
  422: 'InvalidRequest',
};

/** Longest wait that a `Retry-After` of the API server is followed for, in milliseconds. */
const maxWaitMs = 5000;
const maxTries = 5;
/** Longest wait for one answer, in milliseconds. */
const callTimeoutMs = 30_000;

/** Answers that mean "not yet": 429, and 403 from a server that just started and has not read its roles yet. */
const passing: ReadonlySet<number> = new Set([403, 429]);

/**
 * Runs one call to the API server and turns its errors into Failures of side `cluster`; 429 is tried again after the time
 * the server asks for, and 403 for a few seconds. `subject` names the object for people.
 */
export async function clusterCall<T>(subject: string, call: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await inTime(call());
    } catch (error) {
      if (!(error instanceof ApiException) || !passing.has(error.code) || round === maxTries) {
        throw clusterFailure(subject, error);
      }
      const seconds = Number(error.headers['retry-after'] ?? 1);
      await new Promise((done) => setTimeout(done, Math.min(maxWaitMs, (seconds > 0 ? seconds : 1) * 1000)));
    }
  }
}

/** The client has no time-out of its own: a server that is frozen would hold its callers for ever. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('no answer in time')), callTimeoutMs);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same, but undefined where the object does not exist. */
export async function clusterCallIfPresent<T>(
  subject: string,
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await clusterCall(subject, call);
  } catch (error) {
    if (error instanceof Failure && error.code === 'NotFound') return undefined;
    throw error;
  }
}

function clusterFailure(subject: string, error: unknown): Failure {
  if (!(error instanceof ApiException))
    return new Failure('ClusterUnavailable', { side: 'cluster', cause: error });
  const status = parseStatus(error.body);
  const code =
    status.reason === 'AlreadyExists' ? 'AlreadyExists' : (byStatus[error.code] ?? 'ClusterUnavailable');
  return new Failure(code, {
    side: 'cluster',
    subject,
    ...(status.message === '' ? {} : { detail: status.message }),
  });
}

/** The parts of a Kubernetes `Status` that are fit for people; its message never holds a value of a Secret. */
function parseStatus(body: unknown): { readonly reason: string; readonly message: string } {
  const status: unknown = typeof body === 'string' ? parseJson(body) : body;
  const field = (name: string): string => {
    const value: unknown =
      typeof status === 'object' && status !== null ? Reflect.get(status, name) : undefined;
    return typeof value === 'string' ? value.slice(0, 1000) : '';
  };
  return { reason: field('reason'), message: field('message') };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Runs one call, once. Undefined for the one status code that is an answer; throws `ClusterUnavailable` for all else. */
export async function callExpecting<T>(request: () => Promise<T>, expected?: number): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof ApiException && error.code === expected) return undefined;
    throw new Failure('ClusterUnavailable', { side: 'cluster', cause: error });
  }
}
