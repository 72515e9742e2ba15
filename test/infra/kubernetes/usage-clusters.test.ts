import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKubeconfig } from '../../../infra/kubernetes/usage-clusters.ts';
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
