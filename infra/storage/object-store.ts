import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { Failure } from '../../domain/failure.ts';
import { isLoopback } from './loopback.ts';
import { isAbsent, statusOf, storageFailure } from './storage-failure.ts';

/** Where an object store is. The keys come from the environment or the machine's role, as the AWS SDK finds them. */
export interface ObjectStoreAddress {
  /** Default: AWS itself. */
  readonly endpoint?: string;
  readonly region: string;
  readonly bucket: string;
  /** Whether plain http may be spoken with another machine (`S3_ALLOW_HTTP=true`). Default: false. */
  readonly allowHttp?: boolean;
  /** Milliseconds without a byte after which a request is given up. Default: 120 000. */
  readonly silenceMs?: number;
}

export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** Epoch milliseconds by the store's clock. */
  readonly modified: number;
}

const nothing = (): void => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Milliseconds for a call that moves little. */
const callMs = 30_000;

/** A bucket. Failures are of side `storage` and never hold the store's own words. */
export class ObjectStore {
  readonly client: S3Client;
  readonly bucket: string;
  readonly region: string;
  /** Default: AWS itself. */
  readonly endpoint: URL | undefined;

  /** Throws `StorageUnsafe` for plain http to another machine that was not allowed (fault K18). */
  constructor(address: ObjectStoreAddress) {
    this.bucket = address.bucket;
    this.region = address.region;
    this.endpoint = address.endpoint === undefined ? undefined : new URL(address.endpoint);
    const inTheClear = this.endpoint?.protocol === 'http:' && !isLoopback(this.endpoint.hostname);
    if (inTheClear && address.allowHttp !== true) {
      throw new Failure('StorageUnsafe', {
        side: 'storage',
        detail: 'use https, or set S3_ALLOW_HTTP=true',
      });
    }
    this.client = new S3Client({
      region: address.region,
      forcePathStyle: true,
      maxAttempts: 4,
      // What fails is told in our words; the SDK would also write of it on the console.
      logger: silent,
      // The SDK's own checksums are refused or ignored by other stores; every byte is hashed by us anyway.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { socketTimeout: address.silenceMs ?? 120_000, connectionTimeout: 5000 },
      ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint }),
    });
  }

  /** Undefined where there is no such object. */
  async head(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    try {
      const command = new HeadObjectCommand({ Bucket: this.bucket, Key: key });
      const answer = await this.client.send(command, within(callMs, signal));
      return { key, size: answer.ContentLength ?? -1, modified: answer.LastModified?.getTime() ?? 0 };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw storageFailure(error, key);
    }
  }

  /** A whole small object. Throws `BundleTooLarge` beyond `most` bytes; undefined where there is none. */
  async read(key: string, most: number, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const command = new GetObjectCommand({ Bucket: this.bucket, Key: key });
      const answer = await this.client.send(command, within(callMs, signal));
      if ((answer.ContentLength ?? 0) > most) {
        if (answer.Body instanceof Readable) answer.Body.destroy();
        throw new Failure('BundleTooLarge', { side: 'storage', subject: key });
      }
      return (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw storageFailure(error, key);
    }
  }

  /** An object's bytes from `from` on, at most `length` of them. Throws `Truncated` or `StorageUnavailable`. */
  async *stream(key: string, from: number, length?: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const last = length === undefined ? '' : String(from + length - 1);
    const ranged = from > 0 || length !== undefined;
    try {
      const command = new GetObjectCommand({
        Bucket: this.bucket,
        Key: key,
        ...(ranged ? { Range: `bytes=${from}-${last}` } : {}),
      });
      const answer = await this.client.send(command, signal === undefined ? {} : { abortSignal: signal });
      const begins = answer.ContentRange?.startsWith(`bytes ${from}-`) ?? !ranged;
      if (!(answer.Body instanceof Readable) || !begins) {
        throw new Failure('RangeRefused', { side: 'storage', subject: key });
      }
      for await (const chunk of answer.Body) yield chunk as Uint8Array;
    } catch (error) {
      throw storageFailure(error, key);
    }
  }

  /** Whether an object has this size and its last byte can be read: one request. */
  async provesSize(key: string, size: number, signal?: AbortSignal): Promise<boolean> {
    if (size === 0) return (await this.head(key, signal))?.size === 0;
    try {
      const range = { Bucket: this.bucket, Key: key, Range: `bytes=${size - 1}-${size - 1}` };
      const answer = await this.client.send(new GetObjectCommand(range), within(callMs, signal));
      const last = await answer.Body?.transformToByteArray();
      return answer.ContentRange === `bytes ${size - 1}-${size - 1}/${size}` && last?.byteLength === 1;
    } catch (error) {
      const status = statusOf(error);
      // 416: it is shorter.
      if (isAbsent(error) || status === 416) return false;
      throw storageFailure(error, key);
    }
  }

  /** Writes a small object. With `createOnly`, false where the key is taken (S3, "Conditional writes"). */
  async write(
    key: string,
    bytes: Uint8Array,
    options: { readonly createOnly?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<boolean> {
    try {
      const command = new PutObjectCommand({
        Bucket: this.bucket,
        Key: key,
        Body: bytes,
        ContentLength: bytes.byteLength,
        ...(options.createOnly === true ? { IfNoneMatch: '*' } : {}),
      });
      await this.client.send(command, within(callMs, options.signal));
      return true;
    } catch (error) {
      const taken = statusOf(error) === 412 || statusOf(error) === 409;
      if (options.createOnly === true && taken) return false;
      throw storageFailure(error, key);
    }
  }

  async delete(key: string): Promise<void> {
    try {
      await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }), within(callMs));
    } catch (error) {
      if (!isAbsent(error)) throw storageFailure(error, key);
    }
  }

  /** Every object whose key begins so, page by page. */
  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
    for (let token: string | undefined; ;) {
      const command = new ListObjectsV2Command({
        Bucket: this.bucket,
        Prefix: prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.client.send(command, within(callMs, signal)).catch((error: unknown) => {
        throw storageFailure(error, prefix);
      });
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key !== undefined) yield { key: Key, size: Size ?? 0, modified: LastModified?.getTime() ?? 0 };
      }
      if (page.IsTruncated !== true) return;
      // Half a list would make what is there look gone, and a sweep would take it.
      if (page.NextContinuationToken === undefined)
        throw new Failure('StorageUnavailable', { side: 'storage', detail: 'a list was cut short' });
      token = page.NextContinuationToken;
    }
  }

  close(): void {
    this.client.destroy();
  }
}

function within(ms: number, signal?: AbortSignal): { readonly abortSignal: AbortSignal } {
  const deadline = AbortSignal.timeout(ms);
  return { abortSignal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]) };
}
