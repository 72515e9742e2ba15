import type { ObjectRef } from '../domain/resources/meta.ts';
import type { ManifestStatus, SyncTrigger } from '../domain/resources/repository.ts';
import type { RunIdentity, SyncOutcome } from '../domain/sync/outcome.ts';
import type { Claim, SyncPlan } from '../domain/sync/plan.ts';
import type { SiteOpening } from '../domain/sync/desk.ts';
import type { Survey } from '../domain/sync/survey.ts';
import type { VerifyResult } from '../domain/sync/verification.ts';
import type { CopyReport } from '../infra/copy/engine.ts';
import type { SiteWait } from '../domain/sync/site-wait.ts';
import { copyImage, type CopyOrder } from './copy-image.ts';
import { isStillWanted, type CopyDependencies } from './copy-places.ts';
import { copyImageToSites, failureAmong, type ManyCopyOrder, type SiteCopy } from './copy-to-sites.ts';
import type { SyncDependencies, VerifyDependencies } from './dependencies.ts';
import { describeImage, type DescribeOrder } from './describe-image.ts';
import { tellingFailedTry } from './failed-try.ts';
import { withHeartbeat } from './heartbeat.ts';
import { lookOnSchedule, type FirstLook } from './look-on-schedule.ts';
import { surveyImages, type SurveyOrder } from './survey-images.ts';
import { ChoiceMemory } from './tag-choice.ts';
import { beginSync, planSync, recordSync, type Recorded } from './sync-record.ts';
import { siteOpening, waitAtSites, type DeskDependencies } from './site-desk.ts';
import type { PodImageLister } from '../infra/kubernetes/pod-images.ts';
import { siteImages } from './site-images.ts';
import type { Pause } from './window-gate.ts';
import { verifySignature, type SignatureDependencies, type SignatureOrder } from './verify-signature.ts';
import { checkConnection, recordConnection } from './verify-connection.ts';

/** The steps that the hub's queue takes: they ask and write little. */
export interface HubActivities {
  planSync(ref: ObjectRef): Promise<SyncPlan | undefined>;
  /** Whether the object that asked for a run is there and wants what it wanted when the run began. */
  stillWanted(claim: Claim): Promise<boolean>;
  lookOnSchedule(ref: ObjectRef, run: RunIdentity): Promise<FirstLook | undefined>;
  /** `begun` is the first run's id, where a sync goes on in a later one. */
  beginSync(plan: SyncPlan, trigger: SyncTrigger, begun?: string): Promise<void>;
  surveyImages(order: SurveyOrder): Promise<Survey>;
  verifySignature(order: SignatureOrder): Promise<void>;
  describeImage(order: DescribeOrder): Promise<ManifestStatus>;
  recordSync(outcome: SyncOutcome): Promise<Recorded>;
  checkConnection(ref: ObjectRef): Promise<VerifyResult>;
  recordConnection(ref: ObjectRef, result: VerifyResult): Promise<void>;
  waitAtSites(ref: ObjectRef, waits: readonly SiteWait[]): Promise<void>;
  siteOpening(site: string): Promise<SiteOpening>;
}

/** The steps that move bytes, on the copy queue or at a site. */
export interface CopyActivities {
  copyImage(order: CopyOrder): Promise<CopyReport | Pause>;
  copyImageToSites(order: ManyCopyOrder): Promise<readonly SiteCopy[]>;
}

/** What only a site's own worker does. */
export interface SiteActivities {
  /** Does nothing: that it is done shows that the site is there. */
  greet(): Promise<void>;
  /** What the Pods of the site's cluster write about their images. Throws `UsageUnknown`, `ClusterUnavailable`. */
  siteImages(): Promise<readonly string[]>;
}

/** Binds the hub's steps to what they need. */
export function createHubActivities(
  deps: SyncDependencies & VerifyDependencies & DeskDependencies & SignatureDependencies,
): HubActivities {
  const choices = new ChoiceMemory();
  return {
    planSync: (ref) => withHeartbeat(() => planSync(deps, ref)),
    stillWanted: (claim) => withHeartbeat(() => isStillWanted(deps, claim)),
    lookOnSchedule: (ref, run) => lookOnSchedule(deps, choices, ref, run),
    beginSync: (plan, trigger, begun) => withHeartbeat(() => beginSync(deps, plan, trigger, begun)),
    surveyImages: (order) => tellingFailedTry(deps, order, () => surveyImages(deps, choices, order)),
    verifySignature: (order) => tellingFailedTry(deps, order, () => verifySignature(deps, order)),
    describeImage: (order) => tellingFailedTry(deps, order, () => describeImage(deps, order)),
    recordSync: (outcome) => withHeartbeat(() => recordSync(deps, outcome)),
    checkConnection: (ref) => checkConnection(deps, ref),
    recordConnection: (ref, result) => withHeartbeat(() => recordConnection(deps, ref, result)),
    waitAtSites: (ref, waits) => withHeartbeat(() => waitAtSites(deps, ref, waits)),
    siteOpening: (site) => withHeartbeat(() => siteOpening(deps, site)),
  };
}

/** Binds what only a site's own worker does. `pods`: default is that it has no cluster in reach. */
export function createSiteActivities(pods?: PodImageLister): SiteActivities {
  return { greet: async () => {}, siteImages: () => siteImages(pods) };
}

/** Binds the copying steps to what they need. */
export function createCopyActivities(deps: CopyDependencies): CopyActivities {
  return {
    copyImage: (order) => deps.places.telling(order, () => copyImage(deps, order)),
    copyImageToSites: (order) =>
      deps.places.telling(order, () => copyImageToSites(deps, order), failureAmong(order)),
  };
}
