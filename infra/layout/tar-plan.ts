import type { BundleFile } from '../../domain/bundle/file-set.ts';

const block = 512;
/** Largest size that 11 octal digits hold; beyond it GNU tar's base-256 numbers are used, which all readers know. */
const octalMost = 8 ** 11 - 1;

/** Bytes of an archive's end: two empty blocks and nothing after them. */
export const tarEndBytes = 2 * block;

/** A stretch of an archive: bytes that we make, or a file's own. */
export type TarPiece =
  | { readonly at: number; readonly length: number; readonly bytes: Uint8Array }
  | { readonly at: number; readonly length: number; readonly file: BundleFile };

export interface TarPlan {
  readonly size: number;
  readonly pieces: readonly TarPiece[];
}

/**
 * The one header that a file has: no owner, no time, mode 0644. A reader that accepts nothing else needs to know nothing
 * of tar's many extensions. `name` has at most 99 characters.
 */
export function tarHeader(file: BundleFile): Uint8Array {
  const header = Buffer.alloc(block);
  header.write(file.name, 0, 99, 'latin1');
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  if (file.size <= octalMost) header.write(`${file.size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  else writeBase256(header, file.size);
  header.write('00000000000\0', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function writeBase256(header: Buffer, size: number): void {
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(size), 128);
}

/** Reads the name and size that a header claims; whether it is {@link tarHeader} of them is the caller's to compare. */
export function claimedFile(header: Uint8Array): BundleFile {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  const end = bytes.indexOf(0);
  const name = bytes.toString('latin1', 0, end < 0 || end > 99 ? 99 : end);
  if ((bytes[124] ?? 0) >= 0x80) return { name, size: Number(bytes.readBigUInt64BE(128)) };
  const digits = bytes.toString('latin1', 124, 135);
  return { name, size: /^[0-7]{11}$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN };
}

/** Empty bytes after a file, up to the next block. */
export const paddingAfter = (size: number): number => (block - (size % block)) % block;

/** Where everything is in the archive of these files, in their order. */
export function planTar(files: readonly BundleFile[]): TarPlan {
  const pieces: TarPiece[] = [];
  let at = 0;
  const bytes = (content: Uint8Array): void => {
    if (content.byteLength > 0) pieces.push({ at, length: content.byteLength, bytes: content });
    at += content.byteLength;
  };
  for (const file of files) {
    bytes(tarHeader(file));
    if (file.size > 0) pieces.push({ at, length: file.size, file });
    at += file.size;
    bytes(new Uint8Array(paddingAfter(file.size)));
  }
  bytes(new Uint8Array(tarEndBytes));
  return { size: at, pieces };
}

/** Opens a part of a file: `length` bytes from `from`. */
export type OpenFilePart = (file: BundleFile, from: number, length: number) => AsyncIterable<Uint8Array>;

/** The archive's bytes from `from` up to, not including, `to`. Nothing is kept in memory but one chunk. */
export async function* streamTar(
  plan: TarPlan,
  from: number,
  to: number,
  openPart: OpenFilePart,
): AsyncIterable<Uint8Array> {
  for (const piece of plan.pieces) {
    const start = Math.max(0, from - piece.at);
    const end = Math.min(piece.length, to - piece.at);
    if (start >= end) continue;
    if ('bytes' in piece) yield piece.bytes.subarray(start, end);
    else yield* openPart(piece.file, start, end - start);
  }
}
