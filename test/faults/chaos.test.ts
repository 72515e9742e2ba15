import assert from 'node:assert/strict';
import { Failure } from '../../domain/failure.ts';
import {
  answers,
  changes,
  closeDelimited,
  cutsBody,
  drips,
  flipsBit,
  hangs,
  resets,
  waits,
} from '../support/misbehaving-registry/behaviours.ts';
import type { Double, Misbehaviour } from '../support/misbehaving-registry/double.ts';
import { problem } from '../support/misbehaving-registry/registry-state.ts';
import { sampleImage, sampleIndex } from '../support/misbehaving-registry/images.ts';
import { Dice } from '../support/faults/hostile-manifests.ts';
import { heading, row } from '../support/faults/world.ts';

// IMAGEFERRY_CHAOS=2000 runs it as long as you like; the seed is in the row's name.
const runs = Number(process.env['IMAGEFERRY_CHAOS'] ?? 60);
const firstSeed = Number(process.env['IMAGEFERRY_CHAOS_SEED'] ?? 1);
const perWorld = 10;

const statuses: readonly [number, ...number[]] = [
  200, 201, 202, 204, 206, 301, 307, 308, 400, 401, 403, 404, 405, 409, 412, 413, 416, 429, 500, 501, 503,
  507,
];
const headerNames: readonly [string, ...string[]] = [
  'location',
  'www-authenticate',
  'content-range',
  'range',
  'link',
  'retry-after',
  'docker-content-digest',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'oci-subject',
];
const headerValues: readonly [string, ...string[]] = [
  '',
  'x',
  '0-0',
  'bytes 5-4/3',
  '</v2/>; rel="next"',
  'http://127.0.0.1:1/',
  '//[',
  '/v2/../..',
  'Bearer realm="',
  'Basic realm="x"',
  'Bearer realm="http://127.0.0.1:1/t"',
  '-1',
  '1',
  'sha256:short',
  'gzip',
  'application/vnd.oci.image.index.v1+json',
  'ü'.repeat(20),
  'y'.repeat(5000),
];

/** One of many ways to misbehave. */
function anyMisbehaviour(dice: Dice): Misbehaviour {
  const status = dice.pick(statuses);
  const lie = { [dice.pick(headerNames)]: dice.pick(headerValues) };
  const ways: readonly [Misbehaviour, ...Misbehaviour[]] = [
    answers({ status }),
    answers({
      status,
      headers: lie,
      body: dice.pick(['', '{}', '{"errors":[]}', '<html>', '{"token":"x"}', 'null']),
    }),
    changes((honest) => ({ ...honest, headers: { ...honest.headers, ...lie } })),
    changes((honest) => ({ ...honest, status })),
    answers(
      problem(
        status,
        dice.pick([
          'UNKNOWN',
          'BLOB_UNKNOWN',
          'MANIFEST_BLOB_UNKNOWN',
          'DIGEST_INVALID',
          'UNSUPPORTED',
          'TOOMANYREQUESTS',
        ]),
      ),
    ),
    cutsBody(dice.below(3000), dice.pick(['fin', 'reset'])),
    closeDelimited(dice.below(3000)),
    flipsBit(dice.below(500)),
    resets(),
    resets(true),
    waits(dice.below(400)),
    hangs(),
    drips(200, 5),
    (exchange) =>
      exchange.raw(
        dice.pick([
          'HTTP/1.1 200 OK\n\n',
          'HTTP/9.9 999\r\n\r\n',
          'garbage',
          '\r\n\r\n',
          'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
          'HTTP/1.1 100 Continue\r\n\r\n',
        ]),
      ),
  ];
  return dice.pick(ways);
}

/** From now on, one request in `oneIn` is treated badly. */
function misbehave(double: Double, dice: Dice, oneIn: number): void {
  double.script({}, async (exchange) => {
    if (dice.below(oneIn) === 0) await anyMisbehaviour(dice)(exchange);
    else await exchange.send(await exchange.honestAnswer());
  });
}

heading('Chaos', () => {
  for (let first = firstSeed; first < firstSeed + runs; first += perWorld) {
    row(
      `chaos ${first}: whatever registries do, a copy lands whole or ends in a code, in time, and lands once they behave`,
      async (world) => {
        world.maxRequests = 5000;
        for (let seed = first; seed < first + perWorld; seed += 1) {
          const dice = new Dice(seed * 7919);
          const image = sampleIndex([sampleImage(`chaos${seed}`, [300_000, 900]), sampleImage('chaos')]);
          const { source, target } = await world.pair(image);
          for (const registry of [source, target]) misbehave(registry, dice, 4 + dice.below(20));
          const hooks = { signal: AbortSignal.timeout(15_000) };
          try {
            await world.copy(source, target, { hooks });
            world.landed(target, image);
          } catch (error) {
            assert.ok(
              error instanceof Failure || error instanceof assert.AssertionError,
              `seed ${seed}: ${String(error)}`,
            );
            if (error instanceof Failure)
              assert.notEqual(error.code, 'Internal', `seed ${seed}: ${String(error.cause)}`);
          }
          for (const registry of [source, target]) registry.clearScripts();
          // A host that was left alone for a second is asked again.
          await new Promise((resolve) => setTimeout(resolve, 1100));
          await world.copy(source, target, { recheck: true, hooks: { signal: AbortSignal.timeout(20_000) } });
          world.landed(target, image);
        }
      },
    );
  }
});
