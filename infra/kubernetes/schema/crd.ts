import { z } from 'zod';
import { kinds, type Plural } from '../../../domain/resources/kinds.ts';
import { apiGroup, apiVersion } from '../../../domain/resources/meta.ts';
import { edgeSiteSpec, edgeSiteStatus } from './edge-site.ts';
import { imageBundleSpec, imageBundleStatus } from './image-bundle.ts';
import { imageCleanupPolicySpec, imageCleanupPolicyStatus } from './image-cleanup-policy.ts';
import { registrySecretSpec, registrySecretStatus } from './registry-secret.ts';
import { nameRules } from './names.ts';
import { repositorySpec, repositoryStatus } from './repository.ts';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  /** 1: only with `-o wide`. */
  readonly priority?: number;
}

interface KindSchema {
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly shortNames: readonly string[];
  readonly columns: readonly PrinterColumn[];
}

const column = (name: string, jsonPath: string, type: PrinterColumn['type'] = 'string'): PrinterColumn => ({
  name,
  type,
  jsonPath,
});
const age = column('Age', '.metadata.creationTimestamp', 'date');

const schemas: Readonly<Record<Plural, KindSchema>> = {
  registrysecrets: {
    spec: registrySecretSpec,
    status: registrySecretStatus,
    shortNames: ['regsecret'],
    columns: [
      column('Domain', '.spec.domain'),
      column('Provider', '.spec.provider'),
      column('Verified', String.raw`.metadata.annotations.theriseunion\.io/verify-status`),
      age,
    ],
  },
  repositories: {
    spec: repositorySpec,
    status: repositoryStatus,
    shortNames: ['imgrepo'],
    columns: [
      column('Registry', '.status.domain'),
      column('Image', '.status.image'),
      column('Status', '.status.syncStatus'),
      column('Progress', '.status.syncProgress'),
      column('Last Synced', '.status.lastSynced', 'date'),
      age,
      { ...column('Pinned', '.spec.pinnedDigest'), priority: 1 },
      { ...column('Reason', '.status.conditions[?(@.type=="Synced")].reason'), priority: 1 },
    ],
  },
  edgesites: {
    spec: edgeSiteSpec,
    status: edgeSiteStatus,
    shortNames: ['site'],
    columns: [
      column('Mode', '.spec.mode'),
      column('Registry', '.spec.registry.domain'),
      column('Default', '.spec.default', 'boolean'),
      column('Acknowledged', '.status.acknowledged.sequence', 'integer'),
      age,
    ],
  },
  imagebundles: {
    spec: imageBundleSpec,
    status: imageBundleStatus,
    shortNames: ['bundle'],
    columns: [
      column('Site', '.spec.site'),
      column('Sequence', '.spec.sequence', 'integer'),
      column('Phase', '.status.phase'),
      column('Progress', '.status.progress'),
      column('Images', '.status.images', 'integer'),
      column('Bytes', '.status.bytes.full', 'integer'),
      column('Carried', '.status.bytes.carried', 'integer'),
      age,
    ],
  },
  imagecleanuppolicies: {
    spec: imageCleanupPolicySpec,
    status: imageCleanupPolicyStatus,
    shortNames: ['cleanup'],
    columns: [
      column('Schedule', '.spec.schedule'),
      column('Phase', '.status.phase'),
      column('Candidates', '.status.candidates', 'integer'),
      column('To Delete', '.status.deletions', 'integer'),
      column('Last Run', '.status.lastRun', 'date'),
      age,
    ],
  },
};

/** The CustomResourceDefinition of a kind, generated from its zod schema. */
export function customResourceDefinition(plural: Plural): object {
  const { kind, namespaced } = kinds[plural];
  const { spec, status, shortNames, columns } = schemas[plural];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${apiGroup}`, labels: { 'app.kubernetes.io/part-of': 'image-management' } },
    spec: {
      group: apiGroup,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: {
        plural,
        singular: kind.toLowerCase(),
        kind,
        listKind: `${kind}List`,
        shortNames,
        categories: ['image'],
      },
      versions: [
        {
          name: apiVersion,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              required: ['spec'],
              properties: { spec: structural(spec), status: structural(status) },
              ...nameRules(plural),
            },
          },
        },
      ],
    },
  };
}

/** A zod schema as a structural schema: the API server takes no closed objects and no `$schema`. */
function structural(schema: z.ZodType): unknown {
  return withoutClosing(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }));
}

function withoutClosing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutClosing);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, inner]) => key !== '$schema' && !(key === 'additionalProperties' && inner === false),
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutClosing(inner)]));
}
