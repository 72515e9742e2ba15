import type { CopyEngine } from '../../../infra/copy/engine.ts';
import { RegistryClients, type RegistryLimits } from '../../../infra/registry/registry-client.ts';
import { createCopyEngine } from '../../../infra/registry/registry-copy-engine.ts';

/** The real engine with short time-outs, so that a fault shows in a second and not in a minute; `limits` go before them. */
export function quickEngine(limits: RegistryLimits = {}): {
  readonly engine: CopyEngine;
  readonly close: () => Promise<void>;
} {
  const clients = new RegistryClients({
    headersTimeoutMs: 1500,
    idleTimeoutMs: 1500,
    floorBytesPerSecond: 10_240,
    floorWindowMs: 750,
    longestWaitMs: 3000,
    breakMs: 1000,
    ...limits,
  });
  return { engine: createCopyEngine(clients), close: () => clients.close() };
}
