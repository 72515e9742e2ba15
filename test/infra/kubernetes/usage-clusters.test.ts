import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgeSiteSpec } from '../../../domain/resources/edge-site.ts';
import {
  createUsageClusters,
  parseKubeconfig,
  type SiteSpeaker,
} from '../../../infra/kubernetes/usage-clusters.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { refusal } from '../../support/refusal.ts';

const kubeconfig = (user: object, cluster: object = {}): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://site.example:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });

test('a kubeconfig with a token names its cluster', () => {
  assert.equal(
    parseKubeconfig(kubeconfig({ token: 't' })).getCurrentCluster()?.server,
    'https://site.example:6443',
  );
});

test('a site that reports is asked itself, unless there is a kubeconfig; who does not report is not waited for', async () => {
  const cluster = new MemoryCluster();
  const make = (name: string, more: Partial<EdgeSiteSpec>) =>
    cluster.resource('edgesites').create({
      apiVersion: 'image.theriseunion.io/v1alpha1',
      kind: 'EdgeSite',
      metadata: { name },
      spec: { registry: { domain: 'edge.example' }, ...more },
    });
  await make('silent', { worker: true });
  await make('speaks', { worker: true, reportsUsage: true });
  await make('both', { worker: true, reportsUsage: true, kubeconfigSecretName: 'kubeconfig' });
  const hub = parseKubeconfig(kubeconfig({ token: 't' }));
  const asked: string[] = [];
  await make('carries', { mode: 'offline', reportsUsage: true });
  const speaker =
    (how: string): SiteSpeaker =>
    async ({ metadata }) => {
      asked.push(`${how} of ${metadata.name}`);
      return { texts: ['app:1'] };
    };
  const speakers = { worker: speaker('worker'), letter: speaker('letter') };
  const clusters = await createUsageClusters(hub, cluster, speakers)();
  assert.deepEqual(clusters.map(({ name }) => name).toSorted(), ['both', 'carries', 'hub', 'speaks']);
  for (const name of ['speaks', 'carries']) {
    const seen = await clusters.find((each) => each.name === name)?.look();
    assert.deepEqual(seen?.texts, ['app:1']);
  }
  assert.deepEqual(asked, ['worker of speaks', 'letter of carries']);
});

const refused: readonly (readonly [string, string])[] = [
  [
    'runs a program',
    kubeconfig({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/true' } }),
  ],
  ['uses an auth provider', kubeconfig({ 'auth-provider': { name: 'gcp', config: {} } })],
  ['reads a client certificate from a file', kubeconfig({ 'client-certificate': '/etc/x' })],
  ['reads a CA from a file', kubeconfig({ token: 't' }, { 'certificate-authority': '/etc/x' })],
  ['is empty', ''],
  ['is something else', 'hello: ['],
];
for (const [what, text] of refused) {
  test(`a kubeconfig that ${what} is refused`, () => {
    refusal('ClusterUnavailable', () => parseKubeconfig(text));
  });
}
