import { parsePercent, syncPercent, type Bytes, type CopyPosition } from '../domain/sync/progress.ts';
import type { Claim } from '../domain/sync/plan.ts';
import type { Pulse } from './heartbeat.ts';
import type { SyncDependencies } from './dependencies.ts';

/** Milliseconds between two writes of `status.syncProgress`. */
const writeEveryMs = 2000;

/** Writes a copy's progress into the status now and then. */
export interface ProgressReport {
  tell(bytes: Bytes): void;
  /** Resolves when no write is under way; none follows, so that the run's last status is not overwritten. */
  close(): Promise<void>;
}

/** Progress is a courtesy: a write that fails is left out, and none goes backwards or touches a status at rest. */
export function openProgressReport(
  deps: Pick<SyncDependencies, 'resources'>,
  claim: Claim,
  position: CopyPosition,
  pulse: Pulse,
): ProgressReport {
  let latest: Bytes | undefined;
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    if (latest === undefined) return;
    const percent = syncPercent(position, latest);
    latest = undefined;
    await writeProgress(deps, claim, percent).catch(() => undefined);
  };
  const timer = setInterval(() => {
    writing = writing.then(write);
  }, writeEveryMs);
  return {
    tell(bytes) {
      pulse.tell(bytes);
      latest = bytes;
    },
    async close() {
      clearInterval(timer);
      await writing;
    },
  };
}

/** Writes a percent into the status of a Repository that is being synced; never a lower one than it says. */
export async function writeProgress(
  deps: Pick<SyncDependencies, 'resources'>,
  claim: Pick<Claim, 'ref' | 'uid'>,
  percent: number,
): Promise<void> {
  await deps.resources.resource('repositories').updateStatus(claim.ref, claim.uid, ({ status }) => {
    if (status?.syncStatus !== 'Syncing' || percent <= parsePercent(status.syncProgress)) return undefined;
    return { ...status, syncProgress: `${percent}%` };
  });
}
