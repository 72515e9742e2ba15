import type { StageKind } from '../bundle/stage-plan.ts';
import type { Condition, Resource } from './meta.ts';

export interface ImageBundleSpec {
  readonly site: string;
  readonly sequence: number;
  /** `delta` against the acknowledged base, `full`, or against the site's `inventory`. */
  readonly kind: StageKind;
}

export interface ImageBundleStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly phase?: 'Pending' | 'Staging' | 'Staged' | 'Acknowledged' | 'Failed' | 'Expired' | 'Collected';
  /** Percent text. */
  readonly progress?: string;
  /** Digest of the signed manifest. */
  readonly digest?: string;
  readonly baseSequence?: number;
  readonly images?: number;
  /** Bytes: of everything the site should have, of what the bundle carries, and the difference. */
  readonly bytes?: { readonly full: number; readonly carried: number; readonly saved: number };
  readonly created?: string;
  readonly expires?: string;
  readonly receipt?: { readonly time: string; readonly result: string };
}

/** What was staged for a site. Cluster-scoped; named `<site>-<sequence>`. */
export interface ImageBundle extends Resource<'ImageBundle'> {
  readonly spec: ImageBundleSpec;
  readonly status?: ImageBundleStatus;
}
