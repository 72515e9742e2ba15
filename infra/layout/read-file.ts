import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../../domain/failure.ts';
import type { ByteSink } from '../copy/content.ts';
import { mediaFailure } from '../disk/media-failure.ts';

const bufferBytes = 256 * 1024;

/** A part of an open file: `length` bytes from `start`. */
export interface FilePart {
  readonly handle: FileHandle;
  readonly start: number;
  readonly length: number;
  /** For messages. */
  readonly name: string;
}

/** Feeds a part of a file to a sink through two reused buffers: one is read while the other is taken. */
export async function readFilePart(part: FilePart, sink: ByteSink, signal?: AbortSignal): Promise<void> {
  const size = Math.min(bufferBytes, part.length);
  const buffers = [Buffer.allocUnsafe(size), Buffer.allocUnsafe(size)] as const;
  const taken: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()];
  try {
    for (let at = 0, turn: 0 | 1 = 0; at < part.length; turn = turn === 0 ? 1 : 0) {
      if (signal?.aborted === true) throw new Failure('Cancelled');
      await taken[turn];
      const wanted = Math.min(bufferBytes, part.length - at);
      const bytesRead = await readSome(part, buffers[turn], wanted, part.start + at);
      taken[turn] = sink(buffers[turn].subarray(0, bytesRead)) ?? Promise.resolve();
      taken[turn].catch(() => undefined);
      at += bytesRead;
    }
  } finally {
    await Promise.allSettled(taken);
  }
  await Promise.all(taken);
}

async function readSome(part: FilePart, buffer: Buffer, length: number, position: number): Promise<number> {
  let bytesRead = 0;
  try {
    ({ bytesRead } = await part.handle.read(buffer, 0, length, position));
  } catch (error) {
    throw mediaFailure(error, part.name);
  }
  if (bytesRead === 0) throw new Failure('Truncated', { side: 'storage', subject: part.name });
  return bytesRead;
}
