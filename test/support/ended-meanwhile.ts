import { proxyActivities, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** What a test does to the run that kept a child from starting. */
export interface Meanwhile {
  endMeanwhile(workflowId: string): Promise<void>;
}

const { endMeanwhile } = proxyActivities<Meanwhile>({ startToCloseTimeout: '10s' });

/** A child that runs already ends before its parent hears that it does: the moment that only a race would hit. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      async startChildWorkflowExecution(input, next) {
        const [started, ended] = await next(input);
        const refused = async (error: unknown): Promise<never> => {
          await endMeanwhile(input.options.workflowId);
          throw error;
        };
        return [started.catch(refused), ended];
      },
    },
  ],
});
