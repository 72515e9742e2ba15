import type { Digest } from '../names/digest.ts';

/** What the manifests of an image say it consists of. */
export interface InspectedImage {
  readonly digest: Digest;
  /** Manifests below it, at any depth, attestations included; also those that are not there (sparse indexes). */
  readonly children: readonly Digest[];
  /** What it is attached to by its `subject` field. Default: nothing. */
  readonly subject?: Digest;
  /** Manifests, configs and layers that are there, each once, with their bytes. */
  readonly blobs: readonly (readonly [Digest, number])[];
}
