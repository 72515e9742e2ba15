import { failureCatalogue } from '../failure-catalogue.ts';
import { humanSize } from '../human-size.ts';
import { someNames } from '../some-names.ts';
import { explain } from './failure-facts.ts';
import { onlyMetadata, primaryImage, waitOf, type SyncOutcome } from './outcome.ts';
import { explainWait } from './site-wait.ts';
import type { SyncPlan } from './plan.ts';

/** Sites that a sentence names; names are of 63 characters, and a condition's message of 2,000. */
const shownSites = 5;

/** `registry/path:tag`, or the path alone where many tags are meant. */
export function imageName(plan: SyncPlan): string {
  const image = imagePath(plan);
  return plan.domain === undefined ? image : `${plan.domain}/${image}`;
}

/** The same without the registry, as `kubectl get` shows it. */
export function imagePath({ repository, tag, selects }: SyncPlan): string {
  return selects ? repository : `${repository}:${tag}`;
}

/** How a sync ended in one sentence for people: English, then Chinese after ` / `. Used in condition and Event alike. */
export function describeOutcome(outcome: SyncOutcome): string {
  if (outcome.failure !== undefined) return explain(outcome.failure);
  const waits = waitOf(outcome);
  if (waits !== undefined) return `Site ${waits.site}: ${explainWait(waits)}`;
  if (onlyMetadata(outcome)) return `${failureCatalogue.NoSite.en} / ${failureCatalogue.NoSite.zh}`;
  return outcome.result === 'Unchanged' ? unchanged(outcome) : copied(outcome);
}

function unchanged(outcome: SyncOutcome): string {
  return `Unchanged, last confirmed ${outcome.ended} / 无变化，最近确认时间 ${outcome.ended}`;
}

function copied(outcome: SyncOutcome): string {
  const { bytesMoved, bytesReused, changed } = outcome.tally;
  const names = outcome.plan.sites.map(({ site }) => site);
  const [en, zh] = [someNames(names, shownSites), chineseNames(names)];
  const digest = primaryImage(outcome)?.digest.slice(0, 19) ?? '';
  const what = outcome.plan.selects ? `${changed} images` : digest;
  const seconds = Math.max(
    0,
    Math.round((Date.parse(outcome.ended) - Date.parse(outcome.run.started)) / 1000),
  );
  const moved = humanSize(bytesMoved);
  const reused = humanSize(bytesReused);
  const told = `Synced ${what} to ${en || 'no connected site'}: ${moved} moved, ${reused} reused in ${seconds}s`;
  return `${told} / 已同步 ${what} 到 ${zh || '（无在线站点）'}：传输 ${moved}，复用 ${reused}，用时 ${seconds} 秒`;
}

const chineseNames = (names: readonly string[]): string =>
  names.length > shownSites
    ? `${names.slice(0, shownSites).join(', ')} 等 ${names.length} 个站点`
    : names.join(', ');
