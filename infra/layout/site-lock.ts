import { rm, stat } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../domain/failure.ts';

/**
 * Lets one importer at a time work on a site's folder. The lock is a socket in the folder: it ends with its process,
 * also by kill -9, and is seen from other containers that mount the folder. Throws `AlreadyRunning`.
 */
export async function lockSite(folder: string): Promise<() => Promise<void>> {
  const full = join(folder, 'import.lock');
  // Socket paths have at most 107 bytes: the shorter spelling is used.
  const short = relative(process.cwd(), full);
  const path = short.length < full.length ? short : full;
  let server = await listen(path);
  if (server === undefined) {
    if (await answers(path))
      throw new Failure('AlreadyRunning', { detail: 'another import runs at this site' });
    await rm(path, { force: true });
    server = await listen(path);
    // Two may have found the same stale lock: the one whose socket is still in place after a moment has it.
    const mine = server === undefined ? undefined : (await stat(path)).ino;
    await sleep(100);
    if (mine === undefined || (await stat(path).catch(() => undefined))?.ino !== mine) {
      server?.close();
      throw new Failure('AlreadyRunning', { detail: 'another import runs at this site' });
    }
  }
  const held = server;
  return () => new Promise((resolve) => held?.close(() => resolve()));
}

function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new Failure('MediaError', { detail: `lock: ${error.code ?? 'error'}`, cause: error }));
    });
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
