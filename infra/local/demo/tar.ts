export interface TarEntry {
  /** Without a leading slash. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

const block = 512;

/** A ustar archive of plain files, the same bytes at every call: owner root, no times. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap(({ path, mode, content }) => [
    header(path, mode, content.length),
    content,
    Buffer.alloc((block - (content.length % block)) % block),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(path: string, mode: number, size: number): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  bytes.write(path, 0, 100);
  bytes.write(octal(mode, 8), 100);
  bytes.write(octal(0, 8), 108);
  bytes.write(octal(0, 8), 116);
  bytes.write(octal(size, 12), 124);
  bytes.write(octal(0, 12), 136);
  bytes.write('        0', 148);
  bytes.write('ustar\x0000', 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
