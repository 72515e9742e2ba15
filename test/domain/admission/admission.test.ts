import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordVerdict } from '../../../domain/admission/password.ts';
import { pullSecretPatch } from '../../../domain/admission/pod-credentials.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const incoming = (password: string, annotations?: Record<string, string>) => ({
  metadata: annotations === undefined ? {} : { annotations },
  spec: { username: 'robot', password },
});
const hidden = { op: 'replace', path: '/spec/password', value: '<encrypted>' };

test('a password that is created is stored, and hidden in spec and in what kubectl remembers', () => {
  const applied = JSON.stringify({ spec: { password: 'p4ss' } });
  const verdict = passwordVerdict(incoming('p4ss', { [lastApplied]: applied }), 'CREATE', undefined);
  assert.equal(verdict.kind, 'store');
  assert.ok(verdict.kind === 'store' && !JSON.stringify(verdict.patch).includes('p4ss'));
  assert.ok(verdict.kind === 'store' && verdict.patch.length === 2);
});

const updates: readonly (readonly [string, string, string | undefined, object])[] = [
  [
    'the stored password again is hidden, as kubectl apply sends it',
    'same',
    'same',
    { kind: 'hide', patch: [hidden] },
  ],
  ['another password is refused: a credential cannot be edited in place', 'new', 'old', { kind: 'refuse' }],
  ['a password is taken where none is stored', 'new', undefined, { kind: 'store', patch: [hidden] }],
  ['an update without a password changes nothing', '<encrypted>', 'old', { kind: 'none' }],
];
for (const [sentence, password, stored, verdict] of updates) {
  test(sentence, () => assert.deepEqual(passwordVerdict(incoming(password), 'UPDATE', stored), verdict));
}

const credentials = [
  { domain: 'hub.example:5000', secretName: 'hub' },
  { domain: 'docker.io', secretName: 'docker' },
  { domain: 'other.example', secretName: 'other' },
];
const named = (...names: readonly string[]) => names.map((name) => ({ name }));

const pods: readonly (readonly [string, Parameters<typeof pullSecretPatch>[0], object[]])[] = [
  [
    'a Pod gets the credential of its image’s registry',
    { images: ['hub.example:5000/a/b:v1'] },
    [{ op: 'add', path: '/spec/imagePullSecrets', value: named('hub') }],
  ],
  [
    'short names mean Docker Hub',
    { images: ['nginx', 'bitnami/redis:7'] },
    [{ op: 'add', path: '/spec/imagePullSecrets', value: named('docker') }],
  ],
  [
    'what the Pod names itself stays, and nothing is named twice',
    { images: ['hub.example:5000/a', 'other.example/b'], pullSecrets: ['mine', 'hub'] },
    [{ op: 'add', path: '/spec/imagePullSecrets/-', value: { name: 'other' } }],
  ],
  ['a Pod of unknown registries stays as it is', { images: ['hub.example/a/b'] }, []],
];
for (const [sentence, pod, patch] of pods) {
  test(sentence, () => assert.deepEqual(pullSecretPatch(pod, credentials), patch));
}
