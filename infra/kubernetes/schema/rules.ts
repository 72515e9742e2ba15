import { z } from 'zod';

/** One CEL rule of a CRD: what must hold, and what the user reads where it does not. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

/** Hangs CEL rules on a schema; they end up as `x-kubernetes-validations` (Kubernetes docs, "Validation rules"). */
export function withRules<T extends z.ZodType>(schema: T, ...rules: readonly CelRule[]): T {
  const before: unknown = schema.meta()?.['x-kubernetes-validations'];
  const all = [...(Array.isArray(before) ? before : []), ...rules];
  return schema.meta({ ...schema.meta(), 'x-kubernetes-validations': all });
}

/** A field that is set once: changing it means deleting the object and creating it anew. */
export function immutable<T extends z.ZodType>(schema: T, field: string): T {
  return withRules(schema, {
    rule: 'self == oldSelf',
    message: `${field} cannot be changed: delete the object and create it anew`,
  });
}

/** A host[:port]; a scheme, a path and a user name are refused by name (the grammar of domain/names/registry-domain.ts). */
export const domainField = withRules(
  z.string().min(1).max(260),
  {
    rule: "!self.contains('://')",
    message: 'domain must be host[:port]: remove the scheme (such as https://)',
  },
  {
    rule: "self.contains('://') || !self.contains('/')",
    message: 'domain must be host[:port]: remove the path',
  },
  { rule: "!self.contains('@')", message: 'domain must be host[:port]: remove the user name' },
  {
    rule: "self.contains('/') || self.contains('@') || self.matches('^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\\\[[0-9A-Fa-f:.]+\\\\])(:[0-9]{1,5})?$')",
    message: 'domain must be host[:port], such as registry.example.com or 10.0.0.5:5000',
  },
);

/** A repository path without tag or digest. */
export const pathField = withRules(
  z.string().min(1).max(255),
  {
    rule: "!self.contains(':') && !self.contains('@')",
    message: 'repository is a path without tag or digest: put the tag into spec.tag',
  },
  {
    rule: "self.contains(':') || self.contains('@') || self.matches('^[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\\\.|_|__|-+)[a-z0-9]+)*)*$')",
    message:
      'repository must be a path such as library/nginx: lower-case letters, digits and . _ - between slashes',
  },
);

/** A tag. */
export const tagField = withRules(z.string().min(1).max(128), {
  rule: "self.matches('^[A-Za-z0-9_][A-Za-z0-9._-]*$')",
  message: 'tag must be letters, digits and . _ - (at most 128 characters)',
});

/** A Go-style duration. */
export const durationField = withRules(z.string().min(2).max(40), {
  rule: "self.matches('^([0-9]+(\\\\.[0-9]+)?(h|ms|m|s))+$')",
  message: 'expected a duration such as 1h, 30m or 90s',
});

/** A DNS-1123 label. */
export const labelField = withRules(z.string().min(1).max(63), {
  rule: "self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",
  message: 'expected lower-case letters, digits and -',
});

export const timeField = z.string().max(40);
export const digestField = z.string().max(140);
export const textField = z.string().max(2000);
export const nameField = z.string().min(1).max(253);

export const conditionsField = z
  .array(
    z.object({
      type: z.string().max(64),
      status: z.enum(['True', 'False', 'Unknown']),
      reason: z.string().max(128),
      message: textField,
      lastTransitionTime: timeField,
      observedGeneration: z.int().exactOptional(),
    }),
  )
  .max(16)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

/** How a registry is reached: the fields of `RegistryAccessSpec`. */
export const registryAccessFields = {
  insecure: z.boolean().exactOptional(),
  caBundle: z.string().max(65_536).exactOptional(),
  allowPrivate: z.boolean().exactOptional(),
  allowedRealms: z.array(z.string().max(300)).max(20).exactOptional(),
  uploadOrigins: z.array(z.string().max(300)).max(20).exactOptional(),
  gcSettleSeconds: z.int().min(0).max(86_400).exactOptional(),
  gcDeletesUntagged: z.boolean().exactOptional(),
};
