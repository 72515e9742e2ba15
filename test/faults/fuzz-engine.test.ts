import assert from 'node:assert/strict';
import { Failure } from '../../domain/failure.ts';
import { hostileImage } from '../support/faults/hostile-manifests.ts';
import { heading, row, sourcePath, targetPath } from '../support/faults/world.ts';

// IMAGEFERRY_FUZZ=10000 runs it as long as you like; the seed of a run is in every message.
const runs = Number(process.env['IMAGEFERRY_FUZZ'] ?? 800);
const firstSeed = Number(process.env['IMAGEFERRY_FUZZ_SEED'] ?? 1);
const perWorld = 100;

heading('Fuzzed manifests through the engine', () => {
  for (let first = firstSeed; first < firstSeed + runs; first += perWorld) {
    row(
      `D07 D13 hostile manifests ${first} to ${first + perWorld - 1} end in a code or arrive byte by byte`,
      async (world) => {
        world.maxRequests = 60 * perWorld;
        const [source, target] = await Promise.all([
          world.registry(),
          world.registry({ checksManifests: false }),
        ]);
        let [landed, refused] = [0, 0];
        for (let seed = first; seed < first + perWorld; seed += 1) {
          const image = hostileImage(seed);
          source.hold(sourcePath, image, `s${seed}`);
          const hooks = { signal: AbortSignal.timeout(10_000) };
          try {
            await world.copy(source, target, { reference: `s${seed}`, tag: `s${seed}`, hooks });
            assert.ok(
              target.tagged(targetPath, `s${seed}`)?.bytes.equals(image.manifest.bytes) === true,
              `seed ${seed}: verbatim`,
            );
            landed += 1;
          } catch (error) {
            assert.ok(error instanceof Failure, `seed ${seed}: ${String(error)}`);
            assert.ok(
              error.code !== 'Internal' && error.code !== 'Cancelled',
              `seed ${seed}: ${error.message}`,
            );
            assert.ok(!target.repository(targetPath).tags.has(`s${seed}`), `seed ${seed}: no tag`);
            refused += 1;
          }
        }
        assert.ok(landed > 5 && refused > 20, `${landed} landed, ${refused} refused`);
      },
    );
  }
});
