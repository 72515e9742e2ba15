import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Loaded by path into clients, workers and the workflow bundle where payloads are sealed: moves a failure's message and
 * stack trace into its sealed attributes, which are plain text in a history otherwise.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
