import type { Descriptor } from '../image/descriptor.ts';
import type { Digest } from '../names/digest.ts';
import type { SiteName } from '../names/kubernetes-name.ts';
import type { RepositoryPath } from '../names/repository-path.ts';
import type { TagName } from '../names/tag.ts';
import type { ObjectRef } from '../resources/meta.ts';
import type { PlatformSelection } from '../resources/repository.ts';
import type { BundleLimits } from './limits.ts';
import type { BundleMark } from './site-state.ts';

/** Workflow type that stages a bundle. */
export const stageBundleWorkflow = 'stageBundle';
/** Signal that asks a running staging for one more bundle; carries a {@link StageOrder}. */
export const stageAgainSignal = 'stage-again';
/** Workflow type that a site's schedule starts; it starts the staging. */
export const scheduledStageWorkflow = 'scheduledStage';
/** Schedule id of a site's bundles. */
export const stageScheduleId = (site: string): string => `bundle-schedule/${site}`;
/** Workflow type of the daily pass over old bundles. */
export const collectBundlesWorkflow = 'collectBundles';
/** Schedule and workflow id of it. */
export const collectBundlesSchedule = 'collect-bundles';
/** Workflow type of the look into the bucket's inbox. */
export const siteMailWorkflow = 'takeSiteMail';
/** Schedule and workflow id of it. */
export const siteMailSchedule = 'site-mail';
/** Workflow id of a site's staging: one at a time. */
export const bundleWorkflowId = (site: string): string => `bundle/${site}`;
/** Name of a bundle's ImageBundle. */
export const bundleObjectName = (site: string, sequence: number): string => `${site}-${sequence}`;

/**
 * What a bundle is reckoned against. `delta`: what the site acknowledged. `full`: nothing, it carries everything.
 * `inventory`: what the site's registry had when the site last told.
 */
export type StageKind = 'delta' | 'full' | 'inventory';

/** What a staging is started with. */
export interface StageOrder {
  readonly site: string;
  readonly kind: StageKind;
  /** Default: a person asked. The others stage nothing where there is nothing new. */
  readonly trigger?: 'demand' | 'schedule' | 'sync';
}

/** An image that the site should have, pinned when the bundle was planned (fault K12). */
export interface StagedImage {
  /** The Repository that asks for it. */
  readonly ref: ObjectRef;
  readonly registryRef: ObjectRef;
  /** Path upstream. */
  readonly source: string;
  /** Path at the site. */
  readonly repo: RepositoryPath;
  readonly tag: TagName;
  readonly root: Descriptor;
  readonly platforms?: PlatformSelection;
}

/** A bundle in the making. Kept in the bucket, as it may name thousands of images; holds no credential. */
export interface StagePlan {
  readonly site: SiteName;
  readonly sequence: number;
  readonly kind: StageKind;
  /** Temporal's id of the run that took this number: tried again, it goes on with it. Default: not known. */
  readonly run?: string;
  readonly limits?: BundleLimits;
  /** RFC 3339 UTC. */
  readonly createdAt: string;
  readonly expires: string;
  readonly previous?: BundleMark;
  /** What the site had acknowledged when this was planned. */
  readonly base?: BundleMark;
  /** Digest of the inventory that a bundle of that kind is reckoned against. */
  readonly inventory?: Digest;
  readonly images: readonly StagedImage[];
}
