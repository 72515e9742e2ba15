import { Failure } from '../../domain/failure.ts';
import type { FailureCode } from '../../domain/failure-catalogue.ts';
import { answerFailure, registryErrorCodes, type RequestSubject } from './answer-failure.ts';
import type { HttpAnswer } from './http-answer.ts';

const missingParts: ReadonlySet<string> = new Set([
  'MANIFEST_BLOB_UNKNOWN',
  'BLOB_UNKNOWN',
  'MANIFEST_UNKNOWN',
  'BLOBS_UNKNOWN',
]);

/** Why a registry did not take a manifest. `byTag`: it was written under a tag, so the tag may be what is refused. */
export function pushedManifestFailure(answer: HttpAnswer, about: RequestSubject, byTag: boolean): Failure {
  const codes = registryErrorCodes(answer);
  const code = refusal(answer.status, codes, byTag);
  if (code === undefined) return answerFailure(answer, about);
  return new Failure(code, { ...about, detail: [`HTTP ${answer.status}`, ...codes.slice(0, 3)].join(' ') });
}

function refusal(status: number, codes: readonly string[], byTag: boolean): FailureCode | undefined {
  if (codes.some((code) => missingParts.has(code))) return 'DestinationGC';
  if (status === 413) return 'ManifestTooLarge';
  if (byTag && (status === 412 || status === 409 || codes.some((code) => code.includes('IMMUTABLE')))) {
    return 'TagImmutable';
  }
  if (status === 404 && codes.length === 0) return 'DestinationGC';
  if (status === 400 || status === 412) return 'DestinationRefused';
  return undefined;
}
