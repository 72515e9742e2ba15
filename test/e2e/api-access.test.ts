import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { apiAudience } from '../../infra/kubernetes/access-reviewer.ts';
import { base, call, freshNamespace, namespaceMember, serviceAccountToken } from '../support/api-client.ts';
import { endpoints } from '../support/stack.ts';
import { openApiFile } from '../support/write-openapi.ts';

type Role = 'viewer' | 'operator' | 'admin';

/** Fault P06: the least role that each route needs. A route that is not in here fails the first test. */
const matrix: Readonly<Record<string, Role>> = {
  listUsedNamespaces: 'viewer',
  listRegistrySecrets: 'viewer',
  getRegistrySecret: 'viewer',
  createRegistrySecret: 'admin',
  deleteRegistrySecret: 'admin',
  verifyRegistrySecret: 'operator',
  editRegistrySecret: 'admin',
  listRepositories: 'viewer',
  getRepository: 'viewer',
  createRepository: 'operator',
  deleteRepository: 'admin',
  editRepository: 'operator',
  syncRepository: 'operator',
  cancelSync: 'operator',
  listSyncs: 'viewer',
  listVersions: 'viewer',
  watchProgress: 'viewer',
  listEdgeSites: 'viewer',
  getEdgeSite: 'viewer',
  getContainerdFiles: 'viewer',
  createEdgeSite: 'admin',
  editEdgeSite: 'admin',
  deleteEdgeSite: 'admin',
  startBatch: 'viewer',
  getBatch: 'viewer',
  compareVersions: 'viewer',
  rollBackRepository: 'operator',
  releaseRepository: 'operator',
  listCleanupPolicies: 'viewer',
  getCleanupPlan: 'viewer',
  runCleanup: 'admin',
  approveCleanup: 'admin',
  restoreTags: 'admin',
  listStorage: 'viewer',
  stageBundle: 'admin',
  listBundles: 'viewer',
  getBundle: 'viewer',
  getBundleArchive: 'admin',
  applyReceipt: 'admin',
  applyInventory: 'admin',
  listAuditRecords: 'admin',
  decodePayloads: 'admin',
};
const rank: readonly Role[] = ['viewer', 'operator', 'admin'];

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
}

const document: { paths: Record<string, Record<string, { operationId: string }>> } = JSON.parse(
  readFileSync(openApiFile, 'utf8'),
);
const operations: readonly Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId }]) => ({
    id: operationId,
    method: method.toUpperCase(),
    path,
  })),
);

const tokens = new Map<string, string>();
let home = '';
let elsewhere = '';

before(async () => {
  home = await freshNamespace('access-home');
  elsewhere = await freshNamespace('access-else');
  for (const role of rank) tokens.set(`${role} here`, await namespaceMember(home, role));
  tokens.set('nobody', await serviceAccountToken(home, 'nobody', [apiAudience]));
});

test('P06: every route has its row in the access matrix', () => {
  assert.deepEqual(operations.map(({ id }) => id).sort(), Object.keys(matrix).sort());
});

test('P06: cluster-wide roles may do what their row says, in every namespace, and nothing else', async () => {
  const wrong: string[] = [];
  for (const operation of operations) {
    for (const role of rank) {
      const allowed = rank.indexOf(role) >= rank.indexOf(matrix[operation.id] ?? 'admin');
      wrong.push(...(await judge(operation, home, role, endpoints().tokens[role], allowed)));
    }
  }
  assert.deepEqual(wrong, []);
});

test('P06: a role in one namespace counts there, not elsewhere, not for all, not for the cluster', async () => {
  const wrong: string[] = [];
  for (const operation of operations) {
    for (const role of rank) {
      const enough = rank.indexOf(role) >= rank.indexOf(matrix[operation.id] ?? 'admin');
      const token = tokens.get(`${role} here`) ?? '';
      const namespaced = operation.path.includes('{ns}');
      wrong.push(...(await judge(operation, home, `${role} here`, token, enough && namespaced)));
      if (!namespaced) continue;
      wrong.push(...(await judge(operation, elsewhere, `${role} elsewhere`, token, false)));
    }
  }
  const all = await call(tokens.get('admin here'), 'GET', '/namespaces/_all_/repositories');
  assert.equal(all.status, 403);
  assert.deepEqual(wrong, []);
});

test('P06: who has no role, or no token, may do nothing', async () => {
  const wrong: string[] = [];
  for (const operation of operations) {
    wrong.push(...(await judge(operation, home, 'nobody', tokens.get('nobody') ?? '', false)));
    const { status } = await call(undefined, operation.method, pathOf(operation, home), bodyOf(operation));
    if (status !== 401) wrong.push(`anonymous ${operation.id}: ${status}`);
  }
  assert.deepEqual(wrong, []);
});

test('P02: a token for another audience is not accepted', async () => {
  const token = await serviceAccountToken(home, 'stranger', ['https://somebody.else.example']);
  const { status } = await call(token, 'GET', `/namespaces/${home}/repositories`);
  assert.equal(status, 401);
});

/** Asks for something that is not there or not valid, so that nothing changes; only whether it is refused counts. */
async function judge(
  operation: Operation,
  ns: string,
  who: string,
  token: string,
  allowed: boolean,
): Promise<string[]> {
  const { status } = await call(token, operation.method, pathOf(operation, ns), bodyOf(operation));
  const right = allowed ? ![401, 403].includes(status) && status < 500 : status === 403;
  const sealed = operation.id === 'decodePayloads' && allowed && status === 503;
  return right || sealed ? [] : [`${who} ${operation.id}: ${status}`];
}

const pathOf = ({ path }: Operation, ns: string): string =>
  path
    .replace('{ns}', ns)
    .replace('{name}', 'not-there')
    .replace('{site}', 'not-there')
    .replace('{seq}', '1')
    .replace(base, '');

const bodyOf = ({ method }: Operation): object | undefined =>
  method === 'POST' || method === 'PATCH' ? {} : undefined;
