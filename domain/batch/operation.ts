import type { FailureCode } from '../failure.ts';
import type { ObjectMeta } from '../resources/meta.ts';
import type { RepositorySpec } from '../resources/repository.ts';

/** What a batch does with each of its items. */
export type BatchOperation = 'create' | 'delete' | 'sync' | 'verify';

/** Kinds that a batch may hold, by plural. */
export type BatchResource = 'repositories' | 'registrysecrets';

/** Most items of one batch. */
export const maximumBatch = 500;

/** One piece of work, checked. It never holds a credential: RegistrySecrets are created before a batch starts. */
export interface BatchItem {
  /** Place in the request, from 0. */
  readonly index: number;
  readonly operation: BatchOperation;
  readonly resource: BatchResource;
  readonly namespace: string;
  readonly name: string;
  /** What to create; only for a Repository. */
  readonly create?: { readonly metadata: ObjectMeta; readonly spec: RepositorySpec };
  /** Uid of what is to be deleted, so that a namesake is left alone. */
  readonly uid?: string;
}

/** Input of the workflow. */
export interface BatchInput {
  readonly id: string;
  readonly requestedBy: string;
  readonly items: readonly BatchItem[];
}

/** How one item went. `Refused`: it was never tried. */
export interface BatchResult {
  readonly index: number;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly result: 'Waiting' | 'Done' | 'Failed' | 'Refused';
  readonly reason?: FailureCode;
  readonly message?: string;
}

/** How far a batch has come; also its result. */
export interface BatchProgress {
  readonly id: string;
  readonly requestedBy: string;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly finished: boolean;
  readonly results: readonly BatchResult[];
}

/** Counts results. */
export function batchProgress(input: BatchInput, results: readonly BatchResult[]): BatchProgress {
  const count = (wanted: BatchResult['result']) => results.filter(({ result }) => result === wanted).length;
  const [done, failed] = [count('Done'), count('Failed')];
  return {
    id: input.id,
    requestedBy: input.requestedBy,
    total: input.items.length,
    done,
    failed,
    finished: done + failed === input.items.length,
    results,
  };
}

/** The result of an item that has not been tried yet. */
export function waitingResult({ index, resource, namespace, name }: BatchItem): BatchResult {
  return { index, resource, namespace, name, result: 'Waiting' };
}
