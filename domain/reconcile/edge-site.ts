import type { StageKind } from '../bundle/stage-plan.ts';
import { asFailure } from '../failure.ts';
import { parseCron } from '../lifecycle/cron.ts';
import type { EdgeSite } from '../resources/edge-site.ts';
import { annotationPrefix } from '../resources/meta.ts';
import type { Repository } from '../resources/repository.ts';
import type { HandledAnnotations } from './lifecycle.ts';

/** Annotation of an EdgeSite whose value (`delta`, `full` or `inventory`) asks for a bundle; it is taken away when staging has started. */
export const stageAnnotation = `${annotationPrefix}stage-bundle`;

/** What an EdgeSite asks for. */
export interface EdgeSiteWish {
  /** Default: no schedule. */
  readonly cron?: string;
  /** What of it cannot be done, in words. */
  readonly problems: readonly string[];
  readonly stage?: StageKind;
  readonly handled: HandledAnnotations;
}

/** Reads what an EdgeSite asks for. A connected site asks for no bundles. */
export function edgeSiteWish({ spec, metadata }: EdgeSite): EdgeSiteWish {
  const asked = metadata.annotations?.[stageAnnotation];
  const handled = asked === undefined ? {} : { [stageAnnotation]: null };
  if (spec.mode !== 'offline') {
    const problems = asked === undefined ? [] : ['No bundle is staged: the site is connected'];
    return { problems, handled };
  }
  const problems: string[] = [];
  const stage = asked === undefined ? undefined : kindOf(asked);
  if (asked !== undefined && stage === undefined) {
    problems.push(`${stageAnnotation} must be delta, full or inventory`);
  }
  const cron = cronOf(spec.bundle?.schedule, problems);
  return {
    ...(cron === undefined ? {} : { cron }),
    ...(stage === undefined ? {} : { stage }),
    problems,
    handled,
  };
}

/**
 * What waits for a site's next bundle, in one text that changes whenever something more does; empty where nothing waits
 * or where the site wants no bundle after syncs.
 */
export function waitingFor(site: EdgeSite, repositories: readonly Repository[]): string {
  if (site.spec.mode !== 'offline' || site.spec.bundle?.afterSync !== true) return '';
  return repositories
    .flatMap(({ metadata, status }) => {
      const entry = status?.sites?.find((each) => each.site === site.metadata.name);
      const found = entry?.state === 'Pending' && status?.digest !== undefined;
      return found ? [`${metadata.namespace ?? ''}/${metadata.name} ${status.digest}`] : [];
    })
    .sort()
    .join('\n');
}

function kindOf(text: string): StageKind | undefined {
  return text === 'delta' || text === 'full' || text === 'inventory' ? text : undefined;
}

function cronOf(text: string | undefined, problems: string[]): string | undefined {
  if (text === undefined) return undefined;
  try {
    return parseCron(text);
  } catch (error) {
    problems.push(asFailure(error).message);
    return undefined;
  }
}
