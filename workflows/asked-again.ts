import { defineSignal, setHandler } from '@temporalio/workflow';
import type { SyncTrigger } from '../domain/resources/repository.ts';
import { syncAgainSignal } from '../domain/sync/input.ts';
import type { SyncStory } from './sync-story.ts';

/** Requests about something that a run which looked already cannot have seen. */
const needsNewLook: ReadonlySet<SyncTrigger> = new Set(['repair', 'rollback', 'site', 'urgent']);
/** Requests that join a run, but not one that is about to write down how it ended. */
const atRisk: ReadonlySet<SyncTrigger> = new Set(['manual', 'batch', 'resumed']);

interface Asked {
  readonly trigger: SyncTrigger;
  readonly request: string | undefined;
}

/** What was asked of a run while it was under way. */
export interface AskedAgain {
  trigger: SyncTrigger | undefined;
  request: string | undefined;
  /** Whether the step is under way that may end the run as well. */
  looking: boolean;
  /** Who asked meanwhile. */
  meanwhile: Asked | undefined;
  /** How often the run heard that the Repository was edited. */
  edits: number;
}

/** A request that came while this run was under way, where it has to run once more because of it. */
export function hearAskedAgain(story: SyncStory, before: SyncTrigger | undefined): AskedAgain {
  const again: AskedAgain = {
    trigger: before,
    request: undefined,
    looking: false,
    meanwhile: undefined,
    edits: 0,
  };
  setHandler(defineSignal<[SyncTrigger, string?]>(syncAgainSignal), (trigger, request) => {
    if (trigger === 'spec') again.edits += 1;
    const isLate = story.progress.phase === 'recording' && atRisk.has(trigger);
    if (isLate || needsNewLook.has(trigger)) Object.assign(again, { trigger, request });
    else if (again.looking && atRisk.has(trigger)) again.meanwhile = { trigger, request };
  });
  return again;
}
