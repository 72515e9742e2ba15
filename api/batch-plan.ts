import { someNames } from '../domain/some-names.ts';
import { checkRegistryRef, checkRepositorySpec } from '../domain/api/new-repository.ts';
import { splitCredential } from '../domain/api/new-registry-secret.ts';
import { usersOf } from '../domain/api/registry-use.ts';
import type { BatchItem, BatchOperation, BatchResource, BatchResult } from '../domain/batch/operation.ts';
import { Failure } from '../domain/failure.ts';
import { parseNamespace, parseObjectName } from '../domain/names/kubernetes-name.ts';
import { parseNewName } from '../domain/names/new-name.ts';
import type { BatchRequest } from './batch-request.ts';
import type { ObjectRef } from '../domain/resources/meta.ts';
import type { RepositorySpec } from '../domain/resources/repository.ts';
import { newMeta } from './objects.ts';
import { allNamespaces } from './route.ts';
import type { BatchRequestItem } from './schema/batch.ts';
import { newRegistrySecretSchema, type NewRegistrySecret } from './schema/registry-secret.ts';
import { newRepositorySchema } from './schema/repository.ts';
import type { RouteTools } from './routes/tools.ts';

/** A credential to create before the rest, checked but not stored yet. */
export interface SecretToCreate {
  readonly index: number;
  readonly namespace: string;
  readonly request: NewRegistrySecret;
}

/** What a batch will do, and what of it it will not. */
export interface BatchPlan {
  readonly secrets: readonly SecretToCreate[];
  readonly items: readonly BatchItem[];
  readonly refused: readonly BatchResult[];
  /** Items that are done as asked, and of which something should be known first. */
  readonly noted: readonly BatchResult[];
}

/** Where an item is, checked. */
export interface ItemTarget {
  readonly index: number;
  readonly operation: BatchOperation;
  readonly resource: BatchResource;
  readonly namespace: string;
  readonly name: string;
}

/** The objects of a batch. Throws for a malformed name or another namespace than the path's: nothing is done then. */
export function batchTargets(request: BatchRequest, pathNamespace: string): readonly ItemTarget[] {
  return request.items.map((item, index) => {
    const resource = item.kind === 'RegistrySecret' ? 'registrysecrets' : 'repositories';
    const namespace = item.metadata.namespace || (pathNamespace === allNamespaces ? '' : pathNamespace);
    if (pathNamespace !== allNamespaces && namespace !== pathNamespace) {
      throw invalid(`items.${index}: its namespace is not the one of the path`);
    }
    if (request.operation === 'sync' && resource !== 'repositories')
      throw invalid(`items.${index}: only a Repository is synced`);
    if (request.operation === 'verify' && resource !== 'registrysecrets') {
      throw invalid(`items.${index}: only a RegistrySecret is verified`);
    }
    const name = parseObjectName(item.metadata.name);
    return { index, operation: request.operation, resource, namespace: parseNamespace(namespace), name };
  });
}

/** Checks every item against what is there. An item that cannot be done is refused with its reason; others are planned. */
export function planBatch(
  tools: RouteTools,
  request: BatchRequest,
  targets: readonly ItemTarget[],
): BatchPlan {
  const secrets: SecretToCreate[] = [];
  const items: BatchItem[] = [];
  const refused: BatchResult[] = [];
  const seen = new Set<string>();
  for (const target of targets) {
    const item = request.items[target.index];
    const key = `${target.resource}/${target.namespace}/${target.name}`;
    try {
      if (item === undefined || seen.has(key)) throw invalid('it is named twice');
      seen.add(key);
      const planned =
        target.operation === 'create' ? planCreate(tools, target, item) : planChange(tools, target);
      if ('request' in planned) secrets.push(planned);
      else items.push(planned);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      refused.push(refusal(target, error));
    }
  }
  const noted = items.flatMap((item) => withoutRegistry(tools, item, secrets));
  return { secrets, items, refused, noted };
}

/** An image may come before its registry, but mostly its name is misspelt. */
function withoutRegistry(
  tools: RouteTools,
  { create, index, resource, namespace, name }: BatchItem,
  secrets: readonly SecretToCreate[],
): readonly BatchResult[] {
  if (create === undefined) return [];
  const owner = ownerOf(create.spec, namespace);
  const comes = secrets.some(
    (secret) => secret.namespace === owner.namespace && secret.request.metadata.name === owner.name,
  );
  if (comes || tools.caches.cache('registrysecrets').get(owner) !== undefined) return [];
  const { code, message } = new Failure('RegistrySecretNotFound', {
    subject: `${owner.namespace}/${owner.name}`,
  });
  return [{ index, resource, namespace, name, result: 'Waiting', reason: code, message }];
}

const ownerOf = ({ registryRef }: RepositorySpec, namespace: string): ObjectRef => ({
  namespace: registryRef.namespace ?? namespace,
  name: registryRef.name,
});

/** The result of an item that will not be tried. */
export function refusal(
  target: ItemTarget,
  failure: Failure,
  result: 'Refused' | 'Failed' = 'Refused',
): BatchResult {
  const { index, resource, namespace, name } = target;
  return { index, resource, namespace, name, result, reason: failure.code, message: failure.message };
}

function planCreate(
  tools: RouteTools,
  target: ItemTarget,
  item: BatchRequestItem,
): BatchItem | SecretToCreate {
  const key = { namespace: target.namespace, name: target.name };
  if (tools.caches.cache(target.resource).get(key) !== undefined)
    throw new Failure('AlreadyExists', { side: 'caller', subject: target.name });
  if (target.resource === 'registrysecrets') {
    parseNewName('registrysecrets', target.name);
    const request = parsed(newRegistrySecretSchema.safeParse(item));
    splitCredential(request.spec, tools.providers);
    return { index: target.index, namespace: target.namespace, request };
  }
  const { metadata, spec } = parsed(newRepositorySchema.safeParse(item));
  checkRepositorySpec(spec);
  const secret = tools.caches.cache('registrysecrets').get(ownerOf(spec, target.namespace));
  checkRegistryRef(spec, target.namespace, secret);
  return { ...target, create: { metadata: newMeta('repositories', metadata, target.namespace, {}), spec } };
}

function planChange(tools: RouteTools, target: ItemTarget): BatchItem {
  const key = { namespace: target.namespace, name: target.name };
  const object = tools.caches.cache(target.resource).get(key);
  if (object === undefined) throw new Failure('NotFound', { side: 'caller', subject: target.name });
  if (target.operation === 'delete' && target.resource === 'registrysecrets') {
    const users = usersOf(key, tools.repositories.all());
    if (users.length > 0)
      throw new Failure('InUse', { side: 'caller', detail: `used by ${someNames(users, 3)}` });
  }
  return { ...target, ...(object.metadata.uid === undefined ? {} : { uid: object.metadata.uid }) };
}

type Parsed<T> =
  | { readonly success: true; readonly data: T }
  | {
      readonly success: false;
      readonly error: {
        readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
      };
    };

function parsed<T>(result: Parsed<T>): T {
  if (result.success) return result.data;
  throw invalid(
    result.error.issues
      .slice(0, 3)
      .map(({ path, message }) => `${path.map(String).join('.')}: ${message}`)
      .join('; '),
  );
}

const invalid = (detail: string): Failure => new Failure('InvalidRequest', { side: 'caller', detail });
