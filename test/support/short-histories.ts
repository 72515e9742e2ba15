import { workflowInfo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** Events after which Temporal suggests to continue as new; by itself it does at 4,096. */
const longHistory = 60;

/** A Temporal that finds histories long early on. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      async handleSignal(input, next) {
        const info = workflowInfo();
        Object.assign(info, { continueAsNewSuggested: info.historyLength > longHistory });
        return next(input);
      },
    },
  ],
});
