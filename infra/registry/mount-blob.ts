import { asFailure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import type { WebAddress } from '../../domain/registry/origin.ts';
import type { RequestSubject } from './answer-failure.ts';
import type { Scope } from './authenticator.ts';
import type { HttpAnswer } from './http-answer.ts';
import { takingInMs } from './registry-upload.ts';
import type { RegistrySession } from './session.ts';

/** A blob that another repository of the registry may have. */
export interface Mount {
  readonly session: RegistrySession;
  /** Where uploads to the repository begin. */
  readonly uploads: WebAddress;
  readonly blob: Descriptor;
  readonly from: RepositoryPath;
  readonly scope: Scope;
  readonly about: RequestSubject;
  readonly signal?: AbortSignal;
}

/**
 * Takes the blob over from the other repository (OCI distribution spec, "Mounting a blob from another repository"). False
 * where that did not work for whatever reason: it only saves an upload, which will say what is wrong. Throws `Cancelled`.
 */
export async function mountBlob(mount: Mount): Promise<boolean> {
  const { session, uploads, from, about, signal } = mount;
  const answer = await askForMount(mount).catch((error: unknown) => {
    const failure = asFailure(error);
    if (failure.code === 'Cancelled' || failure.code === 'Internal') throw failure;
    return undefined;
  });
  if (answer?.status === 201) return true;
  const location = answer?.status === 202 ? answer.header('location') : undefined;
  const opened = location === undefined ? null : URL.parse(location, uploads.href);
  if (opened?.origin === uploads.origin) {
    const scope: Scope = { ...mount.scope, mountFrom: [from] };
    const accept = [400, 404, 405];
    await session
      .call({
        method: 'DELETE',
        url: opened,
        scope,
        about,
        accept,
        ...(signal === undefined ? {} : { signal }),
      })
      .catch(() => undefined);
  }
  return false;
}

function askForMount({ session, uploads, blob, from, scope, about, signal }: Mount): Promise<HttpAnswer> {
  const search = `?${new URLSearchParams({ mount: blob.digest, from })}`;
  return session.call({
    method: 'POST',
    url: session.addresses.at(uploads.pathname, search),
    scope: { ...scope, mountFrom: [from] },
    about,
    accept: [400, 401, 403, 404, 405],
    tries: 2,
    // Some registries copy the blob in their store before they answer.
    answerTimeoutMs: takingInMs(session, blob),
    ...(signal === undefined ? {} : { signal }),
  });
}
