import {
  AdmissionregistrationV1Api,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
} from '@kubernetes/client-node';
import { kinds } from '../../domain/resources/kinds.ts';
import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';
import { clusterCall } from './cluster-call.ts';
import { fieldManager } from './resource-client.ts';

/** Label of namespaces whose Pods are handed pull credentials. */
const podCredentialsLabel = 'theriseunion.io/pod-credentials';

const name = 'image-management';
/** Seconds that the API server waits for an answer. */
const timeoutSeconds = 5;
const applyPatch = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

/**
 * Tells the API server where the webhooks are. `failurePolicy: Ignore`: while they are away, Pods must start and people
 * must be able to apply; the reconciler then hides passwords a moment later, and Pods name their pull secrets themselves.
 * `caBundle` is PEM.
 */
export async function registerWebhooks(config: KubeConfig, baseUrl: string, caBundle: string): Promise<void> {
  const api = config.makeApiClient(AdmissionregistrationV1Api);
  const webhook = (path: string): object => ({
    name: `${path}.${apiGroup}`,
    clientConfig: {
      ...clientAddress(new URL(`${baseUrl}/admission/${path}`)),
      caBundle: Buffer.from(caBundle).toString('base64'),
    },
    failurePolicy: 'Ignore',
    timeoutSeconds,
    admissionReviewVersions: ['v1'],
  });
  const body = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name, labels: { 'app.kubernetes.io/part-of': 'image-management' } },
    webhooks: [
      {
        ...webhook('registrysecrets'),
        sideEffects: 'NoneOnDryRun',
        rules: [rule(apiGroup, apiVersion, 'registrysecrets', ['CREATE', 'UPDATE', 'DELETE'])],
      },
      {
        ...webhook('pods'),
        sideEffects: 'None',
        reinvocationPolicy: 'IfNeeded',
        namespaceSelector: { matchLabels: { [podCredentialsLabel]: 'enabled' } },
        rules: [rule('', 'v1', 'pods', ['CREATE'])],
      },
    ],
  };
  await clusterCall(`mutatingwebhookconfigurations/${name}`, () =>
    api.patchMutatingWebhookConfiguration({ name, body, fieldManager, force: true }, applyPatch),
  );
  await registerAudit(api, webhook);
}

/**
 * The last word before a change is stored, only to write it down. `Ignore`, too: people must be able to work while the API
 * is away, and then the log does not know of it.
 */
async function registerAudit(
  api: AdmissionregistrationV1Api,
  webhook: (path: string) => object,
): Promise<void> {
  const body = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name, labels: { 'app.kubernetes.io/part-of': 'image-management' } },
    webhooks: [
      {
        ...webhook('changes'),
        sideEffects: 'NoneOnDryRun',
        rules: Object.keys(kinds).map((plural) =>
          rule(apiGroup, apiVersion, plural, ['CREATE', 'UPDATE', 'DELETE']),
        ),
      },
    ],
  };
  await clusterCall(`validatingwebhookconfigurations/${name}`, () =>
    api.patchValidatingWebhookConfiguration({ name, body, fieldManager, force: true }, applyPatch),
  );
}

/**
 * The API server does not ask the cluster's DNS: `name.namespace.svc` has to be named as a Service (Kubernetes docs,
 * "Dynamic Admission Control", service reference).
 */
export function clientAddress(url: URL): object {
  const [, name, namespace] = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc$/.exec(url.hostname) ?? [];
  if (name === undefined || namespace === undefined) return { url: url.href };
  const port = url.port === '' ? 443 : Number(url.port);
  return { service: { name, namespace, port, path: url.pathname } };
}

const rule = (group: string, version: string, resource: string, operations: readonly string[]): object => ({
  apiGroups: [group],
  apiVersions: [version],
  resources: [resource],
  operations,
});
