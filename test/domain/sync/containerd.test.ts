import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgeSite, EdgeSiteSpec } from '../../../domain/resources/edge-site.ts';
import type { RegistrySecret, RegistrySecretSpec } from '../../../domain/resources/registry-secret.ts';
import type { Repository, RepositorySpec } from '../../../domain/resources/repository.ts';
import { mirrorFiles } from '../../../domain/sync/containerd.ts';

const apiVersion = 'image.theriseunion.io/v1alpha1';
const site = (name: string, registry: EdgeSiteSpec['registry'], more = {}): EdgeSite => ({
  apiVersion,
  kind: 'EdgeSite',
  metadata: { name },
  spec: { registry, ...more },
});
const secret = (name: string, domain: string, more: Partial<RegistrySecretSpec> = {}): RegistrySecret => ({
  apiVersion,
  kind: 'RegistrySecret',
  metadata: { name, namespace: 'shop' },
  spec: { domain, username: 'u', password: '<encrypted>', provider: 'other', ...more },
});
const repository = (registry: string, more: Partial<RepositorySpec> = {}): Repository => ({
  apiVersion,
  kind: 'Repository',
  metadata: { name: 'app', namespace: 'shop' },
  spec: { repository: 'a/b', tag: 'v1', registryRef: { name: registry }, ...more },
});
const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';

/** The files of one site, by path. */
function filesOf(
  at: EdgeSite,
  repositories: readonly Repository[],
  secrets: readonly RegistrySecret[],
  others: readonly EdgeSite[] = [],
): Record<string, string> {
  const files = mirrorFiles({ site: at, sites: [...others, at], repositories, secrets });
  return Object.fromEntries(files.map(({ path, content }) => [path, content]));
}

test('Docker Hub is mirrored under the name that containerd looks for, and stays the last resort', () => {
  const edge = site('edge', { domain: 'registry.edge.example' }, { default: true });
  assert.deepEqual(filesOf(edge, [repository('hub')], [secret('hub', 'docker.io')]), {
    'docker.io/hosts.toml': `server = "https://registry-1.docker.io"

[host."https://registry.edge.example"]
  capabilities = ["pull", "resolve"]
`,
  });
});

test('a path prefix, plain http, ports and certificates come out as containerd reads them', () => {
  const registry = { domain: '10.0.0.5:5000', pathPrefix: 'mirror/', caBundle: pem };
  const edge = site('edge', registry);
  const secrets = [
    secret('far', 'harbor.example:8443', { caBundle: `${pem}\n` }),
    secret('here', '127.0.0.1:5001'),
  ];
  const repositories = [
    repository('far', { sites: ['edge'] }),
    repository('far', { sites: ['edge'], tag: 'v2' }),
    repository('here', { sites: ['edge'] }),
  ];
  const host = `[host."https://10.0.0.5:5000/v2/mirror"]
  capabilities = ["pull", "resolve"]
  ca = "mirror.crt"
  override_path = true
`;
  assert.deepEqual(filesOf(edge, repositories, secrets), {
    '127.0.0.1:5001/hosts.toml': `server = "http://127.0.0.1:5001"\n\n${host}`,
    '127.0.0.1:5001/mirror.crt': `${pem}\n`,
    'harbor.example:8443/hosts.toml': `server = "https://harbor.example:8443"\nca = "server.crt"\n\n${host}`,
    'harbor.example:8443/server.crt': `${pem}\n`,
    'harbor.example:8443/mirror.crt': `${pem}\n`,
  });
});

test('only registries of which something goes to the site are mirrored there', () => {
  const edge = site('edge', { domain: 'edge.example', insecure: true });
  const main = site('main', { domain: 'main.example' }, { default: true });
  const repositories = [repository('hub'), repository('quay', { sites: ['edge'] }), repository('gone')];
  const secrets = [secret('hub', 'docker.io'), secret('quay', 'quay.io')];
  assert.deepEqual(Object.keys(filesOf(edge, repositories, secrets, [main])), ['quay.io/hosts.toml']);
  assert.deepEqual(Object.keys(filesOf(main, repositories, secrets, [edge])), ['docker.io/hosts.toml']);
  assert.match(
    filesOf(edge, repositories, secrets, [main])['quay.io/hosts.toml'] ?? '',
    /\[host\."http:\/\/edge\.example"\]/,
  );
});
