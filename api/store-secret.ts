import { splitCredential } from '../domain/api/new-registry-secret.ts';
import type { RegistrySecret } from '../domain/resources/registry-secret.ts';
import type { Call } from './context.ts';
import { newMeta } from './objects.ts';
import { groupVersion } from './schema/meta.ts';
import type { NewRegistrySecret } from './schema/registry-secret.ts';
import type { RouteTools } from './routes/tools.ts';

/**
 * Stores the object first, without the password, because the Secret needs its uid as owner. Where the Secret cannot be
 * stored the object is taken back. A crash in between leaves a RegistrySecret that says it has no credential, which is
 * seen and can be deleted; the other order could leave a credential that nobody knows of.
 */
export async function storeSecret(
  tools: RouteTools,
  call: Call<unknown, unknown, unknown>,
  namespace: string,
  request: NewRegistrySecret,
): Promise<RegistrySecret> {
  const { spec, credential } = splitCredential(request.spec, tools.providers);
  const metadata = newMeta('registrysecrets', request.metadata, namespace, {
    domain: spec.domain,
    username: spec.username,
    provider: spec.provider,
    'verify-status': 'untested',
  });
  const client = tools.clients.resource('registrysecrets');
  const created = await client.create({ apiVersion: groupVersion, kind: 'RegistrySecret', metadata, spec });
  const key = { namespace, name: created.metadata.name };
  try {
    await tools.credentials.store(created, credential);
  } catch (error) {
    await client.delete(key, created.metadata.uid);
    throw error;
  }
  await tools.settle('registrysecrets', key, (seen) => seen?.metadata.uid === created.metadata.uid);
  await tools.record(call, created, 'CreateRegistrySecret');
  return created;
}
