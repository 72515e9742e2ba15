/** One step of a JSON Patch (RFC 6902). */
export type PatchStep =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** What the API server is told. `warnings` are shown by kubectl. */
export interface AdmissionVerdict {
  readonly allowed: boolean;
  /** Default: the object stays as it is. */
  readonly patch?: readonly PatchStep[];
  /** Why not. Default: nothing to say. */
  readonly message?: string;
  readonly warnings?: readonly string[];
}

/** Nothing to change, nothing to refuse. */
export const admitted: AdmissionVerdict = { allowed: true };

/** The answer to a review: an AdmissionReview whose patch is base64, which `encode` makes of a text. */
export function admissionAnswer(
  uid: string,
  verdict: AdmissionVerdict,
  encode: (text: string) => string,
): object {
  const { allowed, patch = [], message, warnings } = verdict;
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed,
      ...(message === undefined ? {} : { status: { code: 403, reason: 'Forbidden', message } }),
      ...(warnings === undefined ? {} : { warnings }),
      ...(patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: encode(JSON.stringify(patch)) }),
    },
  };
}

/** One segment of a JSON pointer (RFC 6901). */
export const pointerSegment = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
