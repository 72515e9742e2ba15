import { setCondition } from '../resources/meta.ts';
import type { Repository } from '../resources/repository.ts';

/** Milliseconds after which a worker that says nothing counts as stopped: it says that it lives every ten seconds. */
export const silenceLimitMs = 60_000;

/**
 * The Repository as callers see it while no worker lives: what its status says is then what was last known, and nothing it
 * asks for happens. `now` is RFC 3339 UTC.
 */
export function withWorkerSilence(repository: Repository, silenceMs: number, now: Date): Repository {
  if (silenceMs < silenceLimitMs) return repository;
  const since = `${new Date(now.getTime() - silenceMs).toISOString().slice(0, 19)}Z`;
  const condition = {
    type: 'ControllerActive',
    status: 'False',
    reason: 'NoWorker',
    message: `No worker has been heard of since ${since}: this status may be out of date / 控制器未运行，状态可能已过期`,
  } as const;
  const conditions = setCondition(repository.status?.conditions ?? [], condition, since);
  return { ...repository, status: { ...repository.status, conditions } };
}
