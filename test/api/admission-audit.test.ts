import assert from 'node:assert/strict';
import { test } from 'node:test';
import pino from 'pino';
import { AdmissionAudit, type ReviewedChange } from '../../api/admission-audit.ts';
import type { ChangedObject } from '../../domain/admission/change.ts';
import type { AuditEntry } from '../../domain/audit/record.ts';
import { Failure } from '../../domain/failure.ts';
import type { Repository } from '../../domain/resources/repository.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';

const ref = { namespace: 'default', name: 'nginx' };
const repository = (annotations: Record<string, string> = {}): Repository => ({
  apiVersion: 'image.theriseunion.io/v1alpha1',
  kind: 'Repository',
  metadata: { ...ref, annotations },
  spec: { repository: 'a/b', tag: 'v1', registryRef: { name: 'hub' } },
});

class Scene {
  readonly cluster = new MemoryCluster();
  readonly written: AuditEntry[] = [];
  down = false;
  readonly audit = new AdmissionAudit({
    outbox: { append: (entry) => this.#write(entry), keep: (entry) => this.#write(entry) },
    caches: this.cluster,
    events: this.cluster.recorder,
    own: 'controller',
    log: pino({ level: 'silent' }),
    now: () => new Date(),
    patienceMs: 50,
  });

  async #write(entry: AuditEntry): Promise<void> {
    if (this.down) throw new Failure('AuditUnavailable');
    this.written.push(entry);
  }

  review(operation: ReviewedChange['operation'], more: Partial<ReviewedChange>) {
    return this.audit.review({
      resource: 'repositories',
      operation,
      user: { name: 'alice', uid: 'u-alice' },
      ...more,
    });
  }

  get stages(): string[] {
    return this.written.map(({ stage, verb }) => `${stage} ${verb}`);
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('what a person creates with kubectl is audited with their name, and ends when the cluster shows it', async () => {
  const scene = new Scene();
  const created = await scene.cluster.resource('repositories').create(repository());
  await scene.cluster.resource('repositories').delete(ref);
  await scene.review('CREATE', { object: created });
  assert.deepEqual(scene.stages, ['Requested create']);
  assert.deepEqual(scene.written[0]?.actor, { name: 'alice', uid: 'u-alice' });
  assert.deepEqual(scene.written[0]?.object, { resource: 'repositories', ...ref });
  await scene.cluster.resource('repositories').create(repository());
  await pause(80);
  assert.deepEqual(scene.stages, ['Requested create', 'Unknown create'], 'another object is not this one');
});

const asked: readonly (readonly [string, ChangedObject, string])[] = [
  ['manual-sync', repository({ 'theriseunion.io/manual-sync': '1' }), 'sync'],
  ['rollback-to', repository({ 'theriseunion.io/rollback-to': 'previous' }), 'rollback'],
  ['cancel-sync', repository({ 'theriseunion.io/cancel-sync': '1' }), 'cancel-sync'],
  ['a label', { ...repository(), metadata: { ...ref, annotations: {}, labels: { a: 'b' } } }, 'update'],
];
for (const [what, object, verb] of asked) {
  test(`${what} by kubectl is the act "${verb}", told by an Event, too`, async () => {
    const scene = new Scene();
    await scene.cluster.resource('repositories').create(repository());
    await scene.review('UPDATE', { oldObject: repository(), object });
    await scene.cluster.resource('repositories').patch(ref, object);
    await pause(5);
    assert.deepEqual(scene.stages, [`Requested ${verb}`, `Completed ${verb}`]);
    assert.match(scene.cluster.events.join(), /alice: .* Repository nginx: success/);
  });
}

test('an apply that changes nothing, and what our own account does, is no act of a person', async () => {
  const scene = new Scene();
  await scene.review('UPDATE', { oldObject: repository(), object: repository() });
  await scene.review('DELETE', { oldObject: repository(), user: { name: 'controller', uid: '' } });
  assert.deepEqual(scene.stages, []);
});

test('Q05: while the log cannot be written, kubectl may not delete, and may create', async () => {
  const scene = new Scene();
  scene.down = true;
  const refused = await scene.review('DELETE', { oldObject: repository() });
  assert.equal(refused.allowed, false);
  assert.match(refused.message ?? '', /audit log/);
  assert.equal((await scene.review('CREATE', { object: repository() })).allowed, true);
});

test('a deletion ends when the object is gone', async () => {
  const scene = new Scene();
  const created = await scene.cluster.resource('repositories').create(repository());
  await scene.review('DELETE', { oldObject: created });
  await scene.cluster.resource('repositories').delete(ref);
  await pause(5);
  assert.deepEqual(scene.stages, ['Requested delete', 'Completed delete']);
});
