/** API group of every kind. */
export const apiGroup = 'image.theriseunion.io';
/** API version of every kind. */
export const apiVersion = 'v1alpha1';
/** Prefix of every annotation that users write or read. */
export const annotationPrefix = 'theriseunion.io/';
/** Namespace that the product itself runs in, and that holds the EdgeSites' credentials. */
export const systemNamespace = 'edge-system';

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** The part of Kubernetes' ObjectMeta that this product reads. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** A condition by the Kubernetes API conventions; `reason` is `Succeeded`-like or a FailureCode. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** Any object of our API group. */
export interface Resource<Kind extends string = string> {
  readonly apiVersion: `${typeof apiGroup}/${typeof apiVersion}`;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
}

/** Names an object inside the cluster. */
export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The conditions with one of them set. `lastTransitionTime` moves only when the status changes, as the Kubernetes API
 * conventions ask. `now` is RFC 3339 UTC.
 */
export function setCondition(
  conditions: readonly Condition[],
  next: Omit<Condition, 'lastTransitionTime'>,
  now: string,
): Condition[] {
  const before = conditions.find((condition) => condition.type === next.type);
  const since = before !== undefined && before.status === next.status ? before.lastTransitionTime : now;
  return [
    ...conditions.filter((condition) => condition.type !== next.type),
    { ...next, lastTransitionTime: since },
  ];
}
