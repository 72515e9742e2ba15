import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { test } from 'node:test';
import { CoreV1Api, loadAllYaml } from '@kubernetes/client-node';
import { Hono } from 'hono';
import { serveAdmission } from '../../api/admission-server.ts';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { trustOf, webhookCertificate } from '../../infra/kubernetes/webhook-certificate.ts';
import { clientAddress } from '../../infra/kubernetes/webhook-registration.ts';
import { freePort } from '../../infra/local/ports.ts';
import { kubectl } from '../support/kubectl.ts';
import { endpoints } from '../support/stack.ts';

const files = ['generated/crds.yaml', 'generated/roles.yaml', 'workloads.yaml'].map(
  (name) => `infra/deploy/${name}`,
);

for (const file of files) {
  test(`the API server takes every object of ${file}, with no field that it does not know`, async () => {
    const args = ['apply', '--server-side', '--dry-run=server', '--force-conflicts', '--validate=strict'];
    const { code, stdout, stderr } = await kubectl([...args, '-f', file]);
    assert.equal(code, 0, stderr);
    const objects = loadAllYaml(readFileSync(file, 'utf8')) as readonly object[];
    assert.equal(stdout.trim().split('\n').length, objects.length);
  });
}

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}
interface PodSpec {
  readonly securityContext: { readonly runAsNonRoot?: boolean };
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Readonly<Record<string, unknown>>[];
}

test('both workloads are labelled, probed, bounded, and may write nothing but their temporary folder', () => {
  const objects = loadAllYaml(readFileSync('infra/deploy/workloads.yaml', 'utf8')) as readonly Workload[];
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  assert.deepEqual(
    deployments.map(({ metadata }) => metadata.name),
    ['image-controller', 'image-api'],
  );
  for (const { metadata, spec } of deployments) {
    assert.deepEqual(metadata.labels, {
      app: metadata.name,
      'app.kubernetes.io/part-of': 'image-management',
    });
    const pod = spec.template.spec;
    assert.ok(pod.securityContext.runAsNonRoot === true && pod.terminationGracePeriodSeconds >= 30);
    for (const { readinessProbe, livenessProbe, resources, securityContext } of pod.containers) {
      assert.ok(readinessProbe !== undefined && livenessProbe !== undefined);
      assert.match(JSON.stringify(resources), /"limits":\{"memory".*"requests":\{"cpu"/);
      assert.match(JSON.stringify(securityContext), /"readOnlyRootFilesystem":true/);
    }
  }
});

test('webhooks inside the cluster are named as a Service, others by their address', () => {
  assert.deepEqual(clientAddress(new URL('https://image-api.edge-system.svc:9443/admission/pods')), {
    service: { name: 'image-api', namespace: 'edge-system', port: 9443, path: '/admission/pods' },
  });
  assert.deepEqual(clientAddress(new URL('https://127.0.0.1:9443/admission/pods')), {
    url: 'https://127.0.0.1:9443/admission/pods',
  });
});

test("the webhooks' certificate is renewed while they are served, and the old one stays trusted meanwhile", async () => {
  const cluster = connectCluster(endpoints().kubeconfig);
  const core = cluster.makeApiClient(CoreV1Api);
  const secret = { namespace: 'edge-system', name: 'image-webhook-tls' };
  const served = await core.readNamespacedSecret(secret);
  const day = 86_400_000;
  const host = 'image-api.edge-system.svc';
  try {
    const first = await webhookCertificate(cluster, host, new Date());
    assert.equal((await webhookCertificate(cluster, host, new Date())).certificate, first.certificate);
    const port = await freePort();
    const server = await serveAdmission(new Hono(), first, { host: '127.0.0.1', port });
    assert.equal(await shownAt(port), fingerprint(first.certificate));
    const second = await webhookCertificate(cluster, host, new Date(Date.now() + 320 * day));
    assert.notEqual(second.certificate, first.certificate);
    assert.ok(trustOf(second).includes(first.certificate.trim()));
    server.renew(second);
    assert.equal(await shownAt(port), fingerprint(second.certificate));
    server.end();
  } finally {
    await core.deleteNamespacedSecret(secret);
    await core.createNamespacedSecret({
      namespace: secret.namespace,
      body: { type: served.type ?? '', metadata: { name: secret.name }, data: served.data ?? {} },
    });
  }
});

const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;

/** The certificate that is shown on a port. */
function shownAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
