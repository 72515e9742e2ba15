import { asFailure } from '../domain/failure.ts';
import type { CleanupTarget, ImageClaims } from '../domain/lifecycle/cleanup-scope.ts';
import type { ImageVersion } from '../domain/lifecycle/image-version.ts';
import type { InspectedImage } from '../domain/lifecycle/inspected-image.ts';
import { isDamage, judgeListing, type PlanHold } from '../domain/lifecycle/plan.ts';
import { systemTagKind } from '../domain/lifecycle/system-tags.ts';
import { recordDoubt, recordListing, type TagLedger } from '../domain/lifecycle/tag-ledger.ts';
import type { TagName } from '../domain/names/tag.ts';
import { fullName } from '../domain/usage/pod-usage.ts';
import type { RepositoryEndpoint } from '../infra/copy/engine.ts';
import type { PlanningDependencies } from './cleanup-dependencies.ts';
import { changeDocument, ledgerKey, readDocument } from './cleanup-documents.ts';
import { targetEndpoint } from './endpoints.ts';
import { inspectTags } from './inspect-tags.ts';
import { readAsOurs } from './pulls.ts';

/** All tags of an image at a site, looked at. */
export interface SurveyedTarget {
  readonly target: CleanupTarget;
  /** Its path at the site. */
  readonly path: string;
  readonly versions: readonly ImageVersion[];
  readonly inspected: ReadonlyMap<TagName, InspectedImage>;
  readonly absentSubjects: ReadonlySet<string>;
}

/** Lists and inspects one image at one site; a hold where what came back is not to be believed. */
export async function surveyTarget(
  deps: PlanningDependencies,
  target: CleanupTarget,
  claims: ImageClaims,
  signal: AbortSignal,
): Promise<SurveyedTarget | PlanHold> {
  const held = (code: PlanHold['code'], detail: string, path = target.image): PlanHold => ({
    code,
    site: target.site,
    path,
    detail,
  });
  try {
    const endpoint = await targetEndpoint(deps, target.site, target.image);
    const tags = await deps.inspector.listTags(endpoint, signal);
    const ledger = await readDocument(deps.documents, ledgerKey(target.site, target.image));
    const doubt = judgeListing({
      count: tags.length,
      placed: claims.placed.length,
      ...(ledger === undefined ? {} : { previous: ledger.count }),
      ...doubtedFor(ledger, tags.length, deps.now()),
    });
    if (doubt !== undefined) {
      await changeDocument(deps.documents, ledgerKey(target.site, target.image), (newest) =>
        recordDoubt(newest, tags.length, deps.now()),
      );
      return held(doubt, `${tags.length} tags, ${ledger?.count ?? 'some'} before`, endpoint.path);
    }
    return await surveyTags(deps, { target, claims, endpoint, tags, signal });
  } catch (error) {
    signal.throwIfAborted();
    const failure = asFailure(error);
    if (failure.code === 'Internal') throw error;
    return held(isDamage(failure.code) ? 'ImageDegraded' : 'ListingIncomplete', failure.message);
  }
}

function doubtedFor(
  ledger: TagLedger | undefined,
  count: number,
  now: number,
): { readonly doubtedForMs?: number } {
  const doubt = ledger?.doubt;
  return doubt === undefined || doubt.count > count ? {} : { doubtedForMs: now - doubt.since };
}

interface Survey {
  readonly target: CleanupTarget;
  readonly claims: ImageClaims;
  readonly endpoint: RepositoryEndpoint;
  readonly tags: readonly TagName[];
  readonly signal: AbortSignal;
}

async function surveyTags(deps: PlanningDependencies, survey: Survey): Promise<SurveyedTarget> {
  const { target, claims, endpoint, tags, signal } = survey;
  const place = { site: target.site, image: target.image, endpoint };
  const inspected = await readAsOurs(deps, place, () => inspectTags(deps.inspector, endpoint, tags, signal));
  const found = [...inspected].map(([tag, { digest }]) => ({ tag, digest }));
  const ledger = await changeDocument(deps.documents, ledgerKey(target.site, target.image), (newest) =>
    recordListing(newest, found, claims.placed, deps.now()),
  );
  return {
    target,
    path: endpoint.path,
    inspected,
    versions: [...inspected].map(([tag, image]) => versionOf(tag, image, ledger, endpoint, survey)),
    absentSubjects: await absentSubjects(deps, endpoint, inspected, signal),
  };
}

function versionOf(
  tag: TagName,
  image: InspectedImage,
  ledger: TagLedger,
  endpoint: RepositoryEndpoint,
  { claims, target }: Survey,
): ImageVersion {
  const entry = ledger.tags[tag];
  const places = [
    `${endpoint.registry.domain}/${endpoint.path}`,
    ...claims.origins.map((origin) => `${origin}/${target.image}`),
  ];
  return {
    tag,
    digest: image.digest,
    children: image.children,
    names: places.map((place) => fullName(`${place}:${tag}`)),
    ours: entry?.ours === true || claims.selects(tag),
    ...(entry === undefined ? {} : { firstSeen: entry.firstSeen }),
    ...(image.subject === undefined ? {} : { subject: image.subject }),
  };
}

/** Asks for the subjects of signatures whose image has no tag any more. */
async function absentSubjects(
  deps: PlanningDependencies,
  endpoint: RepositoryEndpoint,
  inspected: ReadonlyMap<TagName, InspectedImage>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const images = [...inspected.values()];
  const present = new Set<string>(images.flatMap(({ children }) => children));
  for (const { digest } of images) present.add(digest);
  const absent = new Set<string>();
  for (const tag of inspected.keys()) {
    const system = systemTagKind(tag);
    if (system?.kind !== 'attachment' || present.has(system.subject)) continue;
    const subject = await deps.inspector.inspect(endpoint, system.subject, signal);
    if (subject === undefined) absent.add(system.subject);
  }
  return absent;
}
