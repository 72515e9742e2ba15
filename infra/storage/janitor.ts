import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type { ObjectStore } from './object-store.ts';
import { storageFailure } from './storage-failure.ts';

/** Aborts the pool's multipart uploads that began before `before` (epoch milliseconds); resolves with how many. */
export async function abortStrayUploads(store: ObjectStore, before: number): Promise<number> {
  let aborted = 0;
  try {
    for (let marker: { key: string; id: string } | undefined; ;) {
      const page = await store.client.send(
        new ListMultipartUploadsCommand({
          Bucket: store.bucket,
          Prefix: 'blobs/sha256/',
          ...(marker === undefined ? {} : { KeyMarker: marker.key, UploadIdMarker: marker.id }),
        }),
      );
      const stray = (page.Uploads ?? []).filter(({ Initiated }) => (Initiated?.getTime() ?? before) < before);
      for (const { Key, UploadId } of stray) {
        await store.client.send(new AbortMultipartUploadCommand({ Bucket: store.bucket, Key, UploadId }));
        aborted += 1;
      }
      if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return aborted;
      marker = { key: page.NextKeyMarker, id: page.NextUploadIdMarker ?? '' };
    }
  } catch (error) {
    throw storageFailure(error, 'multipart uploads');
  }
}
