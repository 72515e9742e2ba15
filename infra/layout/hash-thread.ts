import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

/** A stretch of a file that the main thread holds open: descriptors are the process's, not a thread's. */
export interface Stretch {
  readonly fd: number;
  readonly start: number;
  /** Bytes. */
  readonly length: number;
}

/** The SHA-256 of the bytes that were there, in hex, and how many there were; or the system's code of what went wrong. */
export type Hashed =
  | { readonly hex: string; readonly size: number }
  | { readonly failed: string; readonly message: string };

const buffer = Buffer.allocUnsafe(256 * 1024);

/** Reads without waiting for the event loop: this thread has nothing else to do. */
function hashOf({ fd, start, length }: Stretch): Hashed {
  const hash = createHash('sha256');
  let size = 0;
  try {
    while (size < length) {
      const bytes = readSync(fd, buffer, 0, Math.min(buffer.byteLength, length - size), start + size);
      if (bytes === 0) break;
      hash.update(buffer.subarray(0, bytes));
      size += bytes;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { failed: code ?? '', message };
  }
  return { hex: hash.digest('hex'), size };
}

parentPort?.on('message', (stretch: Stretch) => parentPort?.postMessage(hashOf(stretch)));
