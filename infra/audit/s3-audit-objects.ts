import { randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3ServiceException,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Failure } from '../../domain/failure.ts';
import type { AuditObject, AuditObjects } from './audit-log.ts';

/** Milliseconds that one call of the object store may take. */
const callMs = 10_000;

/** The audit log's objects in a bucket. Throws `AuditUnavailable`, never with the store's own words. */
export class S3AuditObjects implements AuditObjects {
  readonly #client: S3Client;
  readonly #bucket: string;
  /** Whether it writes a name twice. Default: not known yet. */
  #isWeak: boolean | undefined;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  /**
   * Where the store ignores `If-None-Match`, two writers would write over each other's records for ever, as each goes on from
   * its own last one. It is found out by the first object of a process, which is written once more; from then on a look comes
   * before each write, and of two writers within that moment one may still lose.
   */
  async create(key: string, body: string): Promise<boolean> {
    if (this.#isWeak === true && (await this.read(key)) !== undefined) return false;
    if (!(await this.#createOnly(key, body))) return false;
    this.#isWeak ??= await this.#createOnly(key, body).catch(() => undefined);
    return true;
  }

  async #createOnly(key: string, body: string): Promise<boolean> {
    try {
      await this.#client.send(this.#put(key, body, '*'), deadline());
      return true;
    } catch (error) {
      // 412: the key is taken. 409: another create of it is under way (S3, "Conditional writes").
      if (isStatus(error, 412) || isStatus(error, 409)) return false;
      throw unavailable(error);
    }
  }

  async replace(key: string, body: string): Promise<void> {
    await this.#client.send(this.#put(key, body), deadline()).catch(rethrow);
  }

  async read(key: string): Promise<string | undefined> {
    try {
      const answer = await this.#client.send(
        new GetObjectCommand({ Bucket: this.#bucket, Key: key }),
        deadline(),
      );
      return (await answer.Body?.transformToString('utf8')) ?? '';
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw unavailable(error);
    }
  }

  async remove(key: string): Promise<void> {
    await this.#client
      .send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }), deadline())
      .catch(rethrow);
  }

  async *list(prefix: string, after?: string): AsyncIterable<AuditObject> {
    let from = after;
    for (;;) {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        ...(from === undefined ? {} : { StartAfter: from }),
      });
      const page = await this.#client.send(command, deadline()).catch(rethrow);
      for (const { Key, LastModified, ETag } of page.Contents ?? []) {
        if (Key === undefined) continue;
        yield {
          key: Key,
          writtenMs: LastModified?.getTime() ?? Number.POSITIVE_INFINITY,
          version: ETag ?? randomUUID(),
        };
      }
      if (page.IsTruncated !== true) return;
      from = page.Contents?.at(-1)?.Key;
      // Half a list would make records look as if they had never been.
      if (from === undefined) throw unavailable(new Error('a list was cut short'));
    }
  }

  #put(key: string, body: string, ifNoneMatch?: string): PutObjectCommand {
    return new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: body,
      ContentType: key.endsWith('.ndjson') ? 'application/x-ndjson' : 'application/json',
      ...(ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }),
    });
  }
}

const deadline = () => ({ abortSignal: AbortSignal.timeout(callMs) });

const isStatus = (error: unknown, status: number): boolean =>
  error instanceof S3ServiceException && error.$metadata.httpStatusCode === status;

const unavailable = (error: unknown): Failure =>
  new Failure('AuditUnavailable', { side: 'storage', cause: error });

function rethrow(error: unknown): never {
  throw unavailable(error);
}
