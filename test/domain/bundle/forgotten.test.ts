import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgettable } from '../../../domain/bundle/forgotten.ts';
import type { ImageBundle, ImageBundleStatus } from '../../../domain/resources/image-bundle.ts';

const day = 86_400_000;
const now = Date.parse('2026-06-01T00:00:00Z');

/** One a day, the newest of today; `phase` of each by its sequence. */
function bundles(
  site: string,
  count: number,
  phase: (sequence: number) => NonNullable<ImageBundleStatus['phase']>,
  newest = now,
): readonly ImageBundle[] {
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: 'image.theriseunion.io/v1alpha1',
    kind: 'ImageBundle',
    metadata: {
      name: `${site}-${index + 1}`,
      creationTimestamp: new Date(newest - (count - 1 - index) * day).toISOString(),
    },
    spec: { site, sequence: index + 1, kind: 'delta' },
    status: { phase: phase(index + 1) },
  }));
}

const sequences = (of: readonly ImageBundle[]): readonly number[] =>
  of.map(({ spec }) => spec.sequence).sort((a, b) => a - b);

test('bundles that are over are forgotten after thirty days, the newest twenty of each site never', () => {
  const busy = bundles('busy', 40, () => 'Collected');
  const seldom = bundles('seldom', 20, () => 'Failed', now - 1000 * day);
  // Of forty, thirty-one are of the last thirty days.
  assert.deepEqual(sequences(forgettable([...busy, ...seldom], now)), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('what a site may still take, or builds on, is never forgotten, however old it is', () => {
  const phases = ['Pending', 'Staging', 'Staged', 'Acknowledged'] as const;
  const old = bundles('plant', 400, (sequence) =>
    sequence <= 4 ? (phases[sequence - 1] ?? 'Staged') : 'Collected',
  );
  const forgotten = sequences(forgettable(old, now));
  assert.deepEqual([forgotten.length, forgotten[0]], [400 - 31 - 4, 5]);
});
