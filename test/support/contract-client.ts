import assert from 'node:assert/strict';
import { call, type Answered } from './api-client.ts';
import { endpoints } from './stack.ts';

const { tokens, registries } = endpoints();

/** Of every object of ours. */
export const apiVersion = 'image.theriseunion.io/v1alpha1';
/** A call of the administrator. */
export const as = (method: string, path: string, body?: unknown) => call(tokens.admin, method, path, body);
/** A RegistrySecret as a client of the contract sends it. */
export const secret = (name: string, spec: object = {}) => ({
  apiVersion,
  kind: 'RegistrySecret',
  metadata: { name, annotations: { 'theriseunion.io/display-name': `源 ${name}` } },
  spec: { ...registries.upstream, provider: 'other', ...spec },
});
/** A Repository as a client of the contract sends it. */
export const repository = (name: string, spec: object = {}) => ({
  apiVersion,
  kind: 'Repository',
  metadata: { name },
  spec: { repository: 'library/none', tag: 'v1', registryRef: { name: 'hub' }, syncInterval: '24h', ...spec },
});

/** An error is a Kubernetes Status that names the object. */
export function isStatus(answer: Answered, code: number, reason: string): void {
  const { details, message, ...rest } = answer.json;
  assert.equal(answer.status, code, answer.text);
  assert.deepEqual(rest, { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', reason, code });
  assert.equal(typeof details.name, 'string');
  assert.equal(typeof details.kind, 'string');
  assert.ok(message.length > 0);
}
