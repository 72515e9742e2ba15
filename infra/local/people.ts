import { CoreV1Api } from '@kubernetes/client-node';
import { systemNamespace } from '../../domain/resources/meta.ts';
import type { Applier } from './apply.ts';
import type { Endpoints } from './endpoints.ts';
import { tokenAudience } from './servers/apiserver.ts';

const people = ['admin', 'operator', 'viewer'] as const;
const rbac = 'rbac.authorization.k8s.io';

/** Binds the groups that the token file names to the roles `image-admin`, `image-operator` and `image-viewer`. */
export async function bindPeople({ apply }: Applier): Promise<void> {
  for (const person of people) {
    await apply(binding(person, { kind: 'Group', name: `imageferry:${person}s`, apiGroup: rbac }));
  }
}

/**
 * One service account a role, for a cluster of one's own, where no token file can be given. Gives back tokens that are
 * valid for a day, for our API and for the cluster alike.
 */
export async function peopleOfCluster({ apply, config }: Applier): Promise<Endpoints['tokens']> {
  const core = config.makeApiClient(CoreV1Api);
  const tokens = new Map<string, string>();
  for (const person of people) {
    const name = `imageferry-local-${person}`;
    const metadata = { name, namespace: systemNamespace };
    await apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
    await apply(binding(person, { kind: 'ServiceAccount', ...metadata }));
    const ask = async (audiences: string[]): Promise<string> => {
      const body = { spec: { audiences, expirationSeconds: 86_400 } };
      return (await core.createNamespacedServiceAccountToken({ ...metadata, body })).status?.token ?? '';
    };
    tokens.set(person, await ask([...new Set([...audiencesOf(await ask([])), tokenAudience])]));
  }
  return Object.fromEntries(tokens) as Record<(typeof people)[number], string>;
}

function binding(person: string, subject: object) {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: `imageferry-local-${person}` },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: `image-${person}` },
    subjects: [subject],
  };
}

/** The audiences that a token is for, read without checking it: the cluster just gave it to us. */
function audiencesOf(token: string): string[] {
  const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    aud?: string[];
  };
  return payload.aud ?? [];
}
