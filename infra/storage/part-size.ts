import { Failure } from '../../domain/failure.ts';

const mebibyte = 1024 * 1024;
/** Parts that one upload may have, and bytes that one object may have (Amazon S3, "Multipart upload limits"). */
const [maxParts, maxObjectBytes] = [10_000, 5 * 1024 ** 4];

/** Smallest part in use: big enough that its request costs nothing, small enough to be sent again. */
export const usualPartBytes: number = 64 * mebibyte;

/** Bytes per part of an object. The same for the same size, so that an upload can be continued. Throws `ObjectTooLarge`. */
export function partBytesFor(size: number): number {
  if (size > maxObjectBytes) throw new Failure('ObjectTooLarge', { side: 'storage' });
  return Math.max(usualPartBytes, Math.ceil(size / maxParts / mebibyte) * mebibyte);
}
