import { Failure } from '../../domain/failure.ts';
import { kinds, type Plural, type ResourceOf } from '../../domain/resources/kinds.ts';
import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';

/**
 * Takes an object of ours as the API server sends it. The CRD's schema has validated everything below `spec` and
 * `status`; what is left to check is that it is an object of the kind that was asked for. Items of a list carry no kind
 * of their own: it is put back. Throws `ClusterUnavailable` where the server sends something else.
 */
export function parseObject<P extends Plural>(plural: P, value: unknown): ResourceOf[P] {
  const { kind } = kinds[plural];
  const metadata = field(value, 'metadata');
  const foreign = field(value, 'kind') !== undefined && field(value, 'kind') !== kind;
  if (foreign || typeof field(metadata, 'name') !== 'string' || typeof field(value, 'spec') !== 'object') {
    throw new Failure('ClusterUnavailable', { side: 'cluster', detail: `the answer is no ${kind}` });
  }
  return { ...(value as ResourceOf[P]), apiVersion: `${apiGroup}/${apiVersion}`, kind };
}

/** The items and the place to continue of a list answer. */
export function parseList<P extends Plural>(
  plural: P,
  value: unknown,
): { readonly items: readonly ResourceOf[P][]; readonly next: string; readonly resourceVersion: string } {
  const items = field(value, 'items');
  if (!Array.isArray(items))
    throw new Failure('ClusterUnavailable', { side: 'cluster', detail: 'the answer is no list' });
  const text = (name: string): string => {
    const found = field(field(value, 'metadata'), name);
    return typeof found === 'string' ? found : '';
  };
  return {
    items: items.map((item) => parseObject(plural, item)),
    next: text('continue'),
    resourceVersion: text('resourceVersion'),
  };
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
