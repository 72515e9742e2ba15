import { Failure } from '../domain/failure.ts';
import { scrubbedStatus, scrubTargets, type Damage, type PlacedImage } from '../domain/lifecycle/scrub.ts';
import { selectedTags, selectTags } from '../domain/lifecycle/tag-selection.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { Repository, RepositoryStatus } from '../domain/resources/repository.ts';
import type { CopyEngine } from '../infra/copy/engine.ts';
import type {
  CredentialStore,
  EventRecorder,
  ResourceClient,
  ResourceClients,
} from '../infra/kubernetes/cluster.ts';
import type { Documents } from '../infra/kubernetes/documents.ts';
import type { SiteRegistry } from '../infra/registry/site-registry.ts';
import { targetEndpoint } from './endpoints.ts';
import { withHeartbeat } from './heartbeat.ts';
import { readAsOurs } from './pulls.ts';

/** What the steps of a scrub are handed. */
export interface ScrubDependencies {
  readonly resources: ResourceClients;
  readonly credentials: CredentialStore;
  readonly engine: Pick<CopyEngine, 'listTags' | 'resolve' | 'verifyGraph'>;
  readonly events: EventRecorder;
  readonly documents: Documents;
  readonly registries: SiteRegistry;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** A page of Repositories; `next` is where the following page begins. */
export interface ScrubPage {
  readonly refs: readonly ObjectRef[];
  readonly next?: string;
}

export interface ScrubActivities {
  listScrubbed(after?: string): Promise<ScrubPage>;
  /** How many images are damaged. */
  scrubRepository(ref: ObjectRef): Promise<number>;
}

const pageSize = 200;
const dayMs = 86_400_000;
/** Milliseconds between two images: a scrub is never in a hurry. */
const pauseMs = 50;

/** Binds the steps of a scrub. */
export function createScrubActivities(deps: ScrubDependencies): ScrubActivities {
  return {
    listScrubbed: (after) => listScrubbed(deps, after),
    scrubRepository: (ref) => scrubRepository(deps, ref),
  };
}

async function listScrubbed(deps: ScrubDependencies, after = ''): Promise<ScrubPage> {
  const repositories = await deps.resources.resource('repositories').list();
  const placed = repositories.filter(({ status }) => status?.sites?.some(({ state }) => state === 'Synced'));
  const named = placed.map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name }));
  const rest = named.filter((ref) => keyOf(ref) > after).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const refs = rest.slice(0, pageSize);
  const last = refs.at(-1);
  return last === undefined || rest.length <= pageSize ? { refs } : { refs, next: keyOf(last) };
}

const keyOf = ({ namespace, name }: ObjectRef): string => `${namespace}/${name}`;

/** Checks what the status says is placed. While a sync runs it writes the status itself: then nothing is done. */
function scrubRepository(deps: ScrubDependencies, ref: ObjectRef): Promise<number> {
  return withHeartbeat(async (signal) => {
    const client = deps.resources.resource('repositories');
    const repository = await client.get(ref);
    if (repository === undefined || repository.status?.syncStatus === 'Syncing') return 0;
    const more = await selectedAtSites(deps, repository, signal);
    const targets = scrubTargets(repository, Math.floor(deps.now() / dayMs), more);
    const damage: Damage[] = [];
    for (const target of targets) {
      const found = await check(deps, repository, target, signal);
      if (found !== undefined) damage.push(found);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    await report(deps, ref, repository, damage, targets.length);
    return damage.length;
  });
}

/** Tags at the sites that the Repository's selector takes. An invalid selector takes none: the sync says so. */
async function selectedAtSites(
  deps: ScrubDependencies,
  { spec, status }: Repository,
  signal: AbortSignal,
): Promise<readonly Pick<PlacedImage, 'site' | 'tag'>[]> {
  if (spec.tagSelector === undefined) return [];
  const sites = (status?.sites ?? []).filter(({ state }) => state === 'Synced');
  const found: Pick<PlacedImage, 'site' | 'tag'>[] = [];
  for (const { site } of sites) {
    const endpoint = await targetEndpoint(deps, site, spec.repository);
    const tags = (await deps.engine.listTags(endpoint, signal)).map((tag) => ({ tag }));
    for (const tag of selectedTags(selectTags(tags, spec.tagSelector))) found.push({ site, tag });
  }
  return found;
}

/** A registry that cannot be asked says nothing about the image: that failure goes to the retries. */
async function check(
  deps: ScrubDependencies,
  { spec }: Repository,
  target: PlacedImage,
  signal: AbortSignal,
): Promise<Damage | undefined> {
  const endpoint = await targetEndpoint(deps, target.site, spec.repository);
  const { site, tag, digest, deep } = target;
  try {
    const shown = await deps.engine.resolve(endpoint, tag, signal);
    if (shown === undefined) return { site, tag, code: 'TagNotFound', detail: 'the tag is gone' };
    if (digest !== undefined && shown.digest !== digest)
      return { site, tag, code: 'TagConflict', detail: `it shows ${shown.digest}` };
    const place = { site, image: spec.repository, endpoint };
    await readAsOurs(deps, place, () => deps.engine.verifyGraph(endpoint, shown.digest, { deep, signal }));
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure) || error.retryable || error.code === 'Cancelled') throw error;
    return { site, tag, code: error.code, detail: error.subject ?? '' };
  }
}

/** The sync is the status's usual writer: where it wrote meanwhile, its word stands, and the next scrub looks again. */
async function writeUnlessChanged(
  client: ResourceClient<'repositories'>,
  { metadata }: Repository,
  status: RepositoryStatus,
): Promise<boolean> {
  try {
    await client.applyStatus(metadata, metadata.uid ?? '', status, metadata.resourceVersion);
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === 'Superseded') return false;
    throw error;
  }
}

async function report(
  deps: ScrubDependencies,
  ref: ObjectRef,
  before: Repository,
  damage: readonly Damage[],
  checked: number,
): Promise<void> {
  const client = deps.resources.resource('repositories');
  const repository = await client.get(ref);
  const uid = before.metadata.uid ?? '';
  if (repository?.metadata.uid !== uid || repository.status?.syncStatus === 'Syncing') return;
  const status = scrubbedStatus(repository, damage, checked, new Date(deps.now()).toISOString());
  if (!(await writeUnlessChanged(client, repository, status))) return;
  const condition = status.conditions?.find(({ type }) => type === 'Degraded');
  if (damage.length === 0 || condition === undefined) return;
  await deps.events.record(
    { kind: 'Repository', ref, uid },
    { type: 'Warning', action: 'Scrub', message: condition.message },
  );
}
