import { randomBytes } from 'node:crypto';
import { CoreV1Api } from '@kubernetes/client-node';
import { apiAudience } from '../../infra/kubernetes/access-reviewer.ts';
import { applier } from '../../infra/local/apply.ts';
import { endpoints } from './stack.ts';

/** The API's base path. */
export const base = '/oapis/image.theriseunion.io/v1alpha1';

/** An answer, read. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body, as loose as a client sees it. */
  readonly json: ReturnType<typeof JSON.parse>;
}

/** Calls the running API as curl would. Without a token no Authorization header is sent. */
export async function call(
  token: string | undefined,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answered> {
  const response = await fetch(endpoints().api + (path.startsWith('/oapis') ? path : base + path), {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}

/** Makes a namespace of one's own, so that tests do not meet. */
export async function freshNamespace(prefix: string): Promise<string> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  await applier(endpoints().kubeconfig).apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}

/** A token of a service account that has a role in one namespace only. */
export async function namespaceMember(
  namespace: string,
  role: 'viewer' | 'operator' | 'admin',
): Promise<string> {
  const cluster = applier(endpoints().kubeconfig);
  const token = await serviceAccountToken(namespace, role, [apiAudience]);
  await cluster.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: role, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `image-${role}` },
    subjects: [{ kind: 'ServiceAccount', name: role, namespace }],
  });
  return token;
}

/** A token of a service account, made where it is missing, for these audiences; valid for an hour. */
export async function serviceAccountToken(
  namespace: string,
  name: string,
  audiences: string[],
): Promise<string> {
  const cluster = applier(endpoints().kubeconfig);
  await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  const core = cluster.config.makeApiClient(CoreV1Api);
  const body = { spec: { audiences, expirationSeconds: 3600 } };
  const { status } = await core.createNamespacedServiceAccountToken({ name, namespace, body });
  return status?.token ?? '';
}
