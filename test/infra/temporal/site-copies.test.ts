import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Client, Connection } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { SiteBeat } from '../../../domain/sync/site-terms.ts';
import { sharedDataConverter } from '../../../infra/temporal/data-converter.ts';
import { createSiteCopies, createToldTerms } from '../../../infra/temporal/site-copies.ts';

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [own, stranger] = [key('own'), key('stranger')];
const ref = { namespace: 'default', name: 'app' };
const terms = {
  site: 'plant',
  since: '2026-03-01T00:00:00Z',
  generation: 2,
  bandwidth: 5000,
  syncWindow: { timeZone: 'Asia/Shanghai', periods: [{ from: '22:00', to: '06:00' }] },
};
const beat: SiteBeat = {
  site: 'plant',
  uid: 'u1',
  position: { before: 0, of: 2 },
  doneBytes: 10,
  totalBytes: 100,
  terms,
};

/** What a worker with these keys would send; readable without. */
async function sent(value: unknown, keys?: string): Promise<Payload> {
  const { loadedDataConverter } = clientOf({}, keys).options;
  let payloads = [loadedDataConverter.payloadConverter.toPayload(value) ?? assert.fail()];
  for (const codec of loadedDataConverter.payloadCodecs) payloads = await codec.encode(payloads);
  return payloads[0] ?? assert.fail();
}

/** A client whose every run is described so; it never connects. */
function clientOf(described: object, keys?: string): Client {
  const client = new Client({
    connection: Connection.lazy({ address: '127.0.0.1:9' }),
    dataConverter: sharedDataConverter(keys),
  });
  const handle = { describe: async () => described };
  return Object.defineProperty(client, 'workflow', { value: { getHandle: () => handle } });
}

/** A run whose steps under way said this with their last heartbeat. */
const running = (said: readonly (Payload | undefined)[], status = 'RUNNING') => ({
  runId: 'r',
  status: { name: status },
  raw: {
    pendingActivities: said.map((payload) =>
      payload === undefined ? {} : { heartbeatDetails: { payloads: [payload] } },
    ),
  },
});

for (const [what, keys] of [
  ['readable', undefined],
  ['sealed', own],
] as const) {
  test(`what copies at sites say is read from their ${what} heartbeats, and nothing else is`, async () => {
    const others = [
      { doneBytes: 1, totalBytes: 2 },
      { ...beat, terms: { ...terms, syncWindow: { periods: [{ from: 'noon', to: '06:00' }] } } },
      { ...beat, doneBytes: -1 },
      'hello',
    ];
    const said = await Promise.all([beat, ...others].map((value) => sent(value, keys)));
    const client = clientOf(running([...said, undefined, await sent(beat, stranger)]), keys);
    assert.deepEqual(await createSiteCopies(client).look(ref), { runId: 'r', beats: [beat] });
  });
}

test('a run that has ended has no copies under way', async () => {
  const client = clientOf(running([await sent(beat)], 'COMPLETED'));
  assert.equal(await createSiteCopies(client).look(ref), undefined);
});

test("a site reads its own terms out of its run's memo, and takes none that are malformed", async () => {
  const run = { workflowId: 'sync/default/app', runId: 'r' };
  for (const [memo, expected] of [
    [{ siteTerms: { plant: terms, other: { ...terms, site: 'other' } } }, terms],
    [{ siteTerms: { other: terms } }, undefined],
    [{ siteTerms: { plant: { ...terms, bandwidth: 'fast' } } }, undefined],
    [{ siteTerms: 7 }, undefined],
    [{ request: 'x' }, undefined],
    [undefined, undefined],
  ] as const) {
    const told = createToldTerms(clientOf({ memo }));
    assert.deepEqual(await told.newest(run, 'plant'), expected, JSON.stringify(memo));
  }
});
