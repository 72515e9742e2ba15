import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { digestHex } from '../../domain/names/digest.ts';
import type { BlobUpload } from '../copy/content.ts';
import { BodyPipe } from './body-pipe.ts';
import type { ObjectStore } from './object-store.ts';
import { partBytesFor } from './part-size.ts';
import { storageFailure } from './storage-failure.ts';

interface Multipart {
  readonly id: string;
  readonly parts: CompletedPart[];
}

/**
 * Opens the upload of a blob to its key. A blob of one part is one PUT; a larger one is a multipart upload, of which
 * the store itself remembers what it has, so that it goes on after any death of the process.
 */
export async function openPoolUpload(
  store: ObjectStore,
  key: string,
  blob: Descriptor,
  resume: boolean,
  signal?: AbortSignal,
): Promise<BlobUpload> {
  const partBytes = partBytesFor(blob.size);
  try {
    const multipart = blob.size <= partBytes ? undefined : await openMultipart(store, key, partBytes, resume);
    return new PoolUpload({ store, key, blob, partBytes, multipart, signal });
  } catch (error) {
    throw storageFailure(error, key);
  }
}

async function openMultipart(
  store: ObjectStore,
  key: string,
  partBytes: number,
  resume: boolean,
): Promise<Multipart> {
  const at = { Bucket: store.bucket, Key: key };
  const { Uploads } = await store.client.send(
    new ListMultipartUploadsCommand({ Bucket: store.bucket, Prefix: key }),
  );
  const id = (Uploads ?? []).findLast((upload) => upload.Key === key)?.UploadId;
  if (id !== undefined && resume) {
    const parts = await storedParts(store, key, id, partBytes);
    if (parts !== undefined) return { id, parts };
  }
  if (id !== undefined) await store.client.send(new AbortMultipartUploadCommand({ ...at, UploadId: id }));
  const { UploadId } = await store.client.send(new CreateMultipartUploadCommand(at));
  if (UploadId === undefined) throw new Failure('StorageUnavailable', { side: 'storage', subject: key });
  return { id: UploadId, parts: [] };
}

/** The whole parts that are there, without gaps; undefined where the upload is unknown by now. */
async function storedParts(
  store: ObjectStore,
  key: string,
  id: string,
  partBytes: number,
): Promise<CompletedPart[] | undefined> {
  const parts: CompletedPart[] = [];
  for (let marker: string | undefined; ;) {
    const command = new ListPartsCommand({
      Bucket: store.bucket,
      Key: key,
      UploadId: id,
      ...(marker === undefined ? {} : { PartNumberMarker: marker }),
    });
    const page = await store.client.send(command).catch(() => undefined);
    if (page === undefined) return undefined;
    for (const { PartNumber, ETag, Size } of page.Parts ?? []) {
      if (PartNumber !== parts.length + 1 || Size !== partBytes || ETag === undefined) return parts;
      parts.push({ PartNumber, ETag });
    }
    if (page.IsTruncated !== true || page.NextPartNumberMarker === undefined) return parts;
    marker = page.NextPartNumberMarker;
  }
}

interface UploadPlace {
  readonly store: ObjectStore;
  readonly key: string;
  readonly blob: Descriptor;
  readonly partBytes: number;
  readonly multipart: Multipart | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One request that is being fed. */
interface OpenPart {
  readonly pipe: BodyPipe;
  readonly sent: Promise<void>;
  left: number;
}

class PoolUpload implements BlobUpload {
  readonly offset: number;
  readonly #place: UploadPlace;
  #at: number;
  #part: OpenPart | undefined;
  #order: Promise<void> = Promise.resolve();
  #complete = false;

  constructor(place: UploadPlace) {
    this.#place = place;
    this.offset = Math.min((place.multipart?.parts.length ?? 0) * place.partBytes, place.blob.size);
    this.#at = this.offset;
  }

  /** Calls may overlap; the bytes keep their order. */
  write(chunk: Uint8Array): Promise<void> {
    const done = this.#order.then(() => this.#feed(chunk));
    this.#order = done.catch(() => undefined);
    return done;
  }

  async commit(): Promise<void> {
    const { store, key, blob, multipart, signal } = this.#place;
    try {
      if (blob.size === 0) await store.write(key, new Uint8Array(), signal === undefined ? {} : { signal });
      if (multipart !== undefined) await this.#completeMultipart(multipart);
    } catch (error) {
      throw this.#failure(error);
    }
    this.#complete = true;
    await this.#check();
  }

  async abandon(keep: boolean): Promise<void> {
    const { store, key, multipart } = this.#place;
    this.#part?.pipe.fail(new Error('abandoned'));
    await this.#part?.sent.catch(() => undefined);
    if (keep || multipart === undefined || this.#complete) return;
    const command = new AbortMultipartUploadCommand({
      Bucket: store.bucket,
      Key: key,
      UploadId: multipart.id,
    });
    await store.client.send(command).catch(() => undefined);
  }

  async #feed(chunk: Uint8Array): Promise<void> {
    try {
      for (let from = 0; from < chunk.byteLength;) {
        const part = (this.#part ??= this.#openPart());
        const piece = chunk.subarray(from, from + part.left);
        await Promise.race([part.pipe.write(piece), part.sent]);
        from += piece.byteLength;
        part.left -= piece.byteLength;
        this.#at += piece.byteLength;
        if (part.left > 0) continue;
        this.#part = undefined;
        await Promise.race([part.pipe.end(), part.sent]);
        await part.sent;
      }
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #openPart(): OpenPart {
    const { store, key, blob, partBytes, multipart, signal } = this.#place;
    const left = Math.min(partBytes, blob.size - this.#at);
    const pipe = new BodyPipe();
    const to = { Bucket: store.bucket, Key: key, Body: pipe.body, ContentLength: left };
    const options = signal === undefined ? {} : { abortSignal: signal };
    const sent =
      multipart === undefined
        ? store.client.send(new PutObjectCommand(to), options).then(() => undefined)
        : this.#sendPart(multipart, to, options);
    sent.catch((error: unknown) => pipe.fail(error instanceof Error ? error : new Error('failed')));
    return { pipe, sent, left };
  }

  async #sendPart(
    multipart: Multipart,
    to: ConstructorParameters<typeof PutObjectCommand>[0],
    options: { readonly abortSignal?: AbortSignal },
  ): Promise<void> {
    const PartNumber = multipart.parts.length + 1;
    const command = new UploadPartCommand({ ...to, UploadId: multipart.id, PartNumber });
    const { ETag } = await this.#place.store.client.send(command, options);
    if (ETag === undefined) throw new Failure('StorageUnavailable', { side: 'storage' });
    multipart.parts.push({ PartNumber, ETag });
  }

  /** The answer may be 200 with an error inside (Amazon S3, "CompleteMultipartUpload"): the SDK throws then. */
  async #completeMultipart({ id, parts }: Multipart): Promise<void> {
    const { store, key } = this.#place;
    const at = { Bucket: store.bucket, Key: key, UploadId: id };
    await store.client.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts: parts } }));
  }

  /**
   * Size and last byte of what was put together from parts, and all bytes where some came from a process whose hash is
   * gone. One PUT is whole or nothing ("Amazon S3 never adds partial objects", PutObject), and what a bundle names is
   * read back before it is signed.
   */
  async #check(): Promise<void> {
    const { store, key, blob, multipart, signal } = this.#place;
    if (multipart === undefined) return;
    const isThere = await store.provesSize(key, blob.size, signal);
    if (isThere && (this.offset === 0 || (await this.#hashesRight()))) return;
    await store.delete(key);
    throw new Failure('DigestMismatch', { side: 'storage', subject: key });
  }

  async #hashesRight(): Promise<boolean> {
    const { store, key, blob, signal } = this.#place;
    const hash = createHash('sha256');
    for await (const chunk of store.stream(key, 0, undefined, signal)) hash.update(chunk);
    return hash.digest('hex') === digestHex(blob.digest);
  }

  /** Of side `destination`, as the copy expects of what it writes to. */
  #failure(error: unknown): Failure {
    const { code, subject, detail, cause } = storageFailure(error, this.#place.key);
    return new Failure(code, {
      side: 'destination',
      ...(subject === undefined ? {} : { subject }),
      ...(detail === undefined ? {} : { detail }),
      cause,
    });
  }
}
