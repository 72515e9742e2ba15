import type { Plural, ResourceOf } from '../../domain/resources/kinds.ts';
import type { Resource } from '../../domain/resources/meta.ts';
import type { ObjectKey } from '../../infra/kubernetes/cluster.ts';
import { edgeSiteView, registrySecretView, repositoryView } from '../../domain/api/views.ts';
import { Changes } from '../changes.ts';
import type { Call } from '../context.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ListIndex } from '../list-index.ts';

/** How long a caller waits to read back what it wrote, in milliseconds. */
const settleMs = 2_000;

type AnyCall = Call<unknown, unknown, unknown>;

/** What the routes share: what the API was handed, the lists, and two small services on top. */
export interface RouteTools extends Omit<ApiDependencies, 'now'> {
  readonly now: () => Date;
  readonly registrySecrets: ListIndex<'registrysecrets'>;
  readonly repositories: ListIndex<'repositories'>;
  readonly edgeSites: ListIndex<'edgesites'>;
  readonly repositoryChanges: Changes<'repositories'>;
  /** Waits until lists show a write, for two seconds at most. */
  settle<P extends Plural>(
    plural: P,
    key: ObjectKey,
    wanted: (object: ResourceOf[P] | undefined) => boolean,
  ): Promise<void>;
  /** Tells people by an Event who did what. Never fails the call: the work is done. */
  record(call: AnyCall, about: Resource, action: string, failed?: string): Promise<void>;
}

/** Builds the tools once for all routes. */
export function routeTools(deps: ApiDependencies): RouteTools {
  const changes: { readonly [P in Plural]?: Changes<P> } = {
    registrysecrets: new Changes(deps.caches.cache('registrysecrets')),
    repositories: new Changes(deps.caches.cache('repositories')),
    edgesites: new Changes(deps.caches.cache('edgesites')),
  };
  return {
    ...deps,
    now: deps.now ?? (() => new Date()),
    registrySecrets: new ListIndex(deps.caches.cache('registrysecrets'), registrySecretView),
    repositories: new ListIndex(deps.caches.cache('repositories'), repositoryView),
    edgeSites: new ListIndex(deps.caches.cache('edgesites'), edgeSiteView),
    repositoryChanges: changes.repositories ?? new Changes(deps.caches.cache('repositories')),
    settle: async (plural, key, wanted) => changes[plural]?.until(key, wanted, settleMs),
    record: (call, about, action, failed) => recordEvent(deps, call, about, action, failed),
  };
}

async function recordEvent(
  deps: ApiDependencies,
  call: AnyCall,
  about: Resource,
  action: string,
  failed: string | undefined,
): Promise<void> {
  const { name, namespace, uid = '' } = about.metadata;
  const result = failed === undefined ? 'success' : `failed: ${failed}`;
  try {
    await deps.events.record(
      { kind: about.kind, ref: { name, ...(namespace === undefined ? {} : { namespace }) }, uid },
      {
        type: failed === undefined ? 'Normal' : 'Warning',
        action,
        message: `${call.caller.username}: ${action} ${about.kind} ${name}: ${result}`,
      },
    );
  } catch (error) {
    deps.log.warn({ err: error, requestId: call.requestId, action }, 'event not recorded');
  }
}
