import { Failure } from '../failure.ts';
import { humanSize } from '../human-size.ts';
import type { DeltaPlan } from './delta.ts';

/** What a site can take. */
export interface BundleLimits {
  /** Bytes that one bundle may carry. Default: no limit. */
  readonly maxBytes?: number;
  /** Bytes that the site's registry may hold. Default: unknown. */
  readonly capacity?: number;
}

/** Throws `QuotaExceeded`, with both sizes, for a bundle that its site could not take (fault K15). */
export function checkBundleSize(
  bytes: Pick<DeltaPlan['bytes'], 'full' | 'carried'>,
  limits: BundleLimits,
): void {
  const { maxBytes, capacity } = limits;
  if (maxBytes !== undefined && bytes.carried > maxBytes) {
    refuse(
      `the bundle would carry ${sized(bytes.carried)}, the site takes at most ${sized(maxBytes)} in one`,
    );
  }
  if (capacity !== undefined && bytes.full > capacity) {
    refuse(`the site should have ${sized(bytes.full)}, its registry holds ${sized(capacity)}`);
  }
}

const sized = (bytes: number): string => `${humanSize(bytes)} (${bytes} bytes)`;

function refuse(detail: string): never {
  throw new Failure('QuotaExceeded', { side: 'destination', detail });
}
