import assert from 'node:assert/strict';
import { CoreV1Api } from '@kubernetes/client-node';
import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';
import type {
  ImageCleanupPolicy,
  ImageCleanupPolicySpec,
} from '../../domain/resources/image-cleanup-policy.ts';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import type { RegistryEndpoint } from '../../infra/local/endpoints.ts';
import { endpoints } from './stack.ts';
import { until, type liveSync } from './live-sync.ts';

const version = `${apiGroup}/${apiVersion}` as const;
type Live = ReturnType<typeof liveSync>;

/** A call of our REST API, as the admin. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What tests of the lifecycle do besides syncing. */
export function liveLifecycle(live: Live) {
  const { api, tokens, kubeconfig } = endpoints();
  const core = connectCluster(kubeconfig).makeApiClient(CoreV1Api);
  const policies = live.resources.resource('imagecleanuppolicies');
  const { edge } = endpoints().registries;

  async function call(method: string, path: string, body?: object, token = tokens.admin): Promise<Answer> {
    const response = await fetch(`${api}/oapis/${version}/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
  }

  /** As `kubectl apply` of a policy in the namespace of the test; its name. */
  async function policy(spec: ImageCleanupPolicySpec): Promise<string> {
    const name = live.unique('policy');
    await policies.create({
      apiVersion: version,
      kind: 'ImageCleanupPolicy',
      metadata: { name, namespace: live.namespace },
      spec,
    });
    return name;
  }

  const key = (name: string) => ({ namespace: live.namespace, name });

  /** Waits for a phase that comes with what the test waits for. */
  async function phase(
    name: string,
    wanted: string,
    when: (policy: ImageCleanupPolicy) => boolean = () => true,
  ): Promise<ImageCleanupPolicy> {
    let last: ImageCleanupPolicy | undefined;
    const look = async (): Promise<ImageCleanupPolicy | undefined> => {
      last = await policies.get(key(name));
      return last?.status?.phase === wanted && when(last) ? last : undefined;
    };
    return until(`phase ${wanted} of ${name}`, look).catch((error: unknown) =>
      assert.fail(`${String(error)}: ${JSON.stringify(last?.status)}`),
    );
  }

  /** The digest that the edge shows under a tag; undefined where it has none. */
  async function edgeDigest(path: string, tag: string): Promise<string | undefined> {
    const authorization = `Basic ${Buffer.from(`${edge.username}:${edge.password}`).toString('base64')}`;
    const accept = 'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
    const response = await fetch(`http://${edge.domain}/v2/${path}/manifests/${tag}`, {
      method: 'HEAD',
      headers: { authorization, accept },
    });
    return response.ok ? (response.headers.get('docker-content-digest') ?? undefined) : undefined;
  }

  /** Deletes a tag upstream; the HTTP status. */
  async function untagUpstream(path: string, tag: string): Promise<number> {
    const { domain, username, password } = endpoints().registries.upstream;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const url = `http://${domain}/v2/${path}/manifests/${tag}`;
    return (await fetch(url, { method: 'DELETE', headers: { authorization } })).status;
  }

  /** Deletes a manifest by its digest; the HTTP status. */
  async function forget(
    { domain, username, password }: RegistryEndpoint,
    path: string,
    digest: string,
  ): Promise<number> {
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const url = `http://${domain}/v2/${path}/manifests/${digest}`;
    return (await fetch(url, { method: 'DELETE', headers: { authorization } })).status;
  }

  async function createNamespace(): Promise<void> {
    await core.createNamespace({ body: { metadata: { name: live.namespace } } });
  }

  /** A Pod that uses an image. Nothing runs it: there is no kubelet. Returns the function that deletes it. */
  async function pod(image: string): Promise<() => Promise<void>> {
    const name = live.unique('user');
    await core.createNamespacedPod({
      namespace: live.namespace,
      body: { metadata: { name }, spec: { containers: [{ name: 'app', image }] } },
    });
    return async () => {
      await core.deleteNamespacedPod({ namespace: live.namespace, name, gracePeriodSeconds: 0 });
    };
  }

  return { call, policy, phase, edgeDigest, untagUpstream, forget, createNamespace, pod, policies, key };
}
