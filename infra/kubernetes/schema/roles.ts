import type { Plural } from '../../../domain/resources/kinds.ts';
import { apiGroup, systemNamespace } from '../../../domain/resources/meta.ts';

const partOf = { 'app.kubernetes.io/part-of': 'image-management' };
const read = ['get', 'list', 'watch'];

interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const ours = (
  resources: readonly (Plural | `${Plural}/${string}` | 'auditrecords' | '*' | 'payloads')[],
  verbs: readonly string[],
): PolicyRule => ({
  apiGroups: [apiGroup],
  resources,
  verbs,
});
const core = (resources: readonly string[], verbs: readonly string[], group = ''): PolicyRule => ({
  apiGroups: [group],
  resources,
  verbs,
});

const clusterRole = (name: string, rules: readonly PolicyRule[]): object => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name, labels: partOf },
  rules,
});

const visible: readonly Plural[] = [
  'registrysecrets',
  'repositories',
  'edgesites',
  'imagebundles',
  'imagecleanuppolicies',
];

/** The three roles of the contract, usable cluster-wide or, bound by a RoleBinding, in one namespace. */
export const userRoles: readonly object[] = [
  clusterRole('image-admin', [ours(['*'], ['*'])]),
  clusterRole('image-operator', [
    ours(visible, read),
    ours(['repositories'], ['create', 'update', 'patch']),
    ours(['repositories/sync', 'repositories/rollback', 'registrysecrets/verify'], ['create']),
  ]),
  clusterRole('image-viewer', [ours(visible, read)]),
];

/** What the API and the worker need, and nothing more. */
export const controllerRole: object = clusterRole('image-controller', [
  ours(visible, [...read, 'create', 'update', 'patch', 'delete']),
  ours(
    visible.map((plural) => `${plural}/status` as const),
    ['get', 'update', 'patch'],
  ),
  ours(
    visible.map((plural) => `${plural}/finalizers` as const),
    ['update'],
  ),
  core(['secrets'], [...read, 'create', 'update', 'patch', 'delete']),
  core(['pods'], read),
  // public keys that Repositories name
  core(['configmaps'], ['get']),
  core(['namespaces'], ['get', 'list', 'watch']),
  core(['events'], ['create', 'patch'], 'events.k8s.io'),
  core(['tokenreviews'], ['create'], 'authentication.k8s.io'),
  core(['subjectaccessreviews'], ['create'], 'authorization.k8s.io'),
  core(
    ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    ['get', 'create', 'patch'],
    'admissionregistration.k8s.io',
  ),
]);

const controllerSubject = { kind: 'ServiceAccount', name: 'image-controller', namespace: systemNamespace };

/** Cleanup plans and what they are judged by are ConfigMaps, the sign that a worker lives is a Lease; in our own namespace only. */
const documentsRole: readonly object[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'image-controller-documents', namespace: systemNamespace, labels: partOf },
    rules: [
      core(['configmaps'], ['get', 'list', 'create', 'update', 'delete']),
      core(['leases'], ['get', 'create', 'patch'], 'coordination.k8s.io'),
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'image-controller-documents', namespace: systemNamespace, labels: partOf },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'Role',
      name: 'image-controller-documents',
    },
    subjects: [controllerSubject],
  },
];

/** Who the controller is: its namespace, its account, and the role bound to it. */
export const controllerIdentity: readonly object[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: systemNamespace, labels: partOf } },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'image-controller', namespace: systemNamespace, labels: partOf },
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'image-controller', labels: partOf },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'image-controller' },
    subjects: [controllerSubject],
  },
  ...documentsRole,
];
