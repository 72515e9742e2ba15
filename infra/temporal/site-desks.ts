import type { Client } from '@temporalio/client';
import type { ObjectRef } from '../../domain/resources/meta.ts';
import { deskSignals, deskWorkflow, deskWorkflowId, type DeskInput } from '../../domain/sync/desk.ts';
import { hubTaskQueue } from '../../domain/sync/ids.ts';
import { engineCall } from './engine-call.ts';
import { attributesOf } from './search-attributes.ts';

/** The desks at which Repositories wait for their sites. Failures: `EngineUnavailable`. */
export interface SiteDesks {
  /** Leaves a Repository there: it is synced again when the site can be filled. */
  wait(site: string, ref: ObjectRef): Promise<void>;
  /** Says that the EdgeSite was changed, to a desk where somebody waits. */
  look(site: string): Promise<void>;
}

/** Desks over a Temporal client. */
export function createSiteDesks(client: Client): SiteDesks {
  return {
    async wait(site, ref) {
      const workflowId = deskWorkflowId(site);
      await engineCall(client, () =>
        client.workflow.signalWithStart(deskWorkflow, {
          workflowId,
          taskQueue: hubTaskQueue,
          args: [{ site, waiting: [] } satisfies DeskInput],
          signal: deskSignals.wait,
          signalArgs: [ref],
          staticSummary: `Repositories that wait for site ${site}`,
          typedSearchAttributes: attributesOf({ site }),
        }),
      );
    },
    async look(site) {
      await engineCall(client, () =>
        client.workflow.getHandle(deskWorkflowId(site)).signal(deskSignals.look),
      );
    },
  };
}
