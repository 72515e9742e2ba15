import { Failure } from '../../domain/failure.ts';
import { uploadedBytes } from '../../domain/registry/content-range.ts';
import type { WebAddress } from '../../domain/registry/origin.ts';
import type { BlobUpload } from '../copy/content.ts';
import { gatedLocation, RegistryUpload, type UploadContext } from './registry-upload.ts';

/** Only uploads from this size on are worth being continued, and so remembered. Bytes. */
const memorableBytes = 1024 * 1024;

/** Continues the upload that is remembered, where the registry still knows it; opens a new one otherwise. */
export async function openRegistryUpload(
  context: UploadContext,
  uploads: WebAddress,
  resume: boolean,
): Promise<BlobUpload> {
  const { memory: _memory, ...rest } = context;
  // A note is a file: for a small blob it costs more than the bytes.
  const own: UploadContext = context.blob.size < memorableBytes ? rest : context;
  const remembered = resume ? own.memory?.recall(own.memoryKey) : undefined;
  const continued = remembered === undefined ? undefined : await continueUpload(own, uploads, remembered);
  return continued ?? startUpload(own, uploads);
}

async function startUpload(context: UploadContext, uploads: WebAddress): Promise<BlobUpload> {
  const { session, scope, about, signal } = context;
  const answer = await session.call({
    method: 'POST',
    url: uploads,
    scope,
    about,
    headers: { 'content-length': '0' },
    ...(signal === undefined ? {} : { signal }),
  });
  const location = gatedLocation(context, uploads, answer.header('location'));
  context.memory?.remember(context.memoryKey, location.href);
  return new RegistryUpload(context, location, 0);
}

async function continueUpload(
  context: UploadContext,
  uploads: WebAddress,
  remembered: string,
): Promise<BlobUpload | undefined> {
  const { session, scope, about, blob, memory, memoryKey, signal } = context;
  const forget = (): undefined => {
    memory?.remember(memoryKey, undefined);
  };
  try {
    // What was remembered came from outside: it goes through the same gate as a fresh Location.
    const known = gatedLocation(context, uploads, remembered);
    const answer = await session.call({
      method: 'GET',
      url: known,
      scope,
      about,
      accept: [400, 404, 405, 410, 416],
      tries: 3,
      ...(signal === undefined ? {} : { signal }),
    });
    const offset = answer.ok ? uploadedBytes(answer.header('range')) : undefined;
    if (offset === undefined || offset > blob.size || offset === 0) return forget();
    const location = gatedLocation(context, known, answer.header('location') ?? known.href);
    memory?.remember(memoryKey, location.href);
    return new RegistryUpload(context, location, offset);
  } catch (error) {
    if (error instanceof Failure && isOfTheSession(error)) return forget();
    throw error;
  }
}

/**
 * Whether it is the upload that cannot be continued, and not the registry that is away. distribution answers 500 for one
 * whose parts are gone from its store, such as by a lifecycle rule of the bucket: always, so it is not asked again.
 */
function isOfTheSession({ code, detail }: Failure): boolean {
  if (code === 'RegistryUnavailable') return detail?.startsWith('HTTP 500') === true;
  return code === 'LocationRefused' || code === 'UnexpectedResponse';
}
