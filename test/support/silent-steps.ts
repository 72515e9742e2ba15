import { RetryState } from '@temporalio/common';
import { ActivityFailure, TimeoutFailure, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** Steps about something of this name are never answered, until Temporal gives them up. */
export const silent = 'silent';

/** What a workflow gets to hear of a step that hung in all its tries, without the minutes that takes. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      async scheduleActivity(input, next) {
        const [about] = input.args;
        const name: unknown =
          typeof about === 'object' && about !== null ? Reflect.get(about, 'name') : undefined;
        if (name !== silent) return next(input);
        const cause = new TimeoutFailure('activity StartToClose timeout', undefined, 'START_TO_CLOSE');
        const retries = RetryState.MAXIMUM_ATTEMPTS_REACHED;
        throw new ActivityFailure(
          'Activity task timed out',
          input.activityType,
          '1',
          retries,
          'worker',
          cause,
        );
      },
    },
  ],
});
