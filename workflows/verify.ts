import { setCurrentDetails } from '@temporalio/workflow';
import type { FailureCode } from '../domain/failure.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import { verifyMessage, type VerifyResult } from '../domain/sync/verification.ts';
import { cluster, registry } from './steps.ts';

/** How a verification ended. */
export interface VerifyVerdict {
  readonly success: boolean;
  readonly reason?: FailureCode;
  readonly detail?: string;
}

/**
 * Tests the connection of a RegistrySecret: reach the registry, sign in, find out what the credential may do; then write
 * annotations, condition and Event. Tries once: a person waits for the answer, and "refused" is one.
 */
export async function verifyRegistry(ref: ObjectRef): Promise<VerifyVerdict> {
  const result = await registry.checkConnection(ref);
  setCurrentDetails(verifyMessage(result));
  await cluster.recordConnection(ref, result);
  return verdictOf(result);
}

function verdictOf(result: VerifyResult): VerifyVerdict {
  if (result.success) return { success: true };
  const { code, detail } = result.failure;
  return { success: false, reason: code, ...(detail === undefined ? {} : { detail }) };
}
