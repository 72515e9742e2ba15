import { constants } from 'node:fs';
import { open, opendir, realpath, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleCaps } from '../../domain/bundle/caps.ts';
import { isBundleFileName, type BundleFile } from '../../domain/bundle/file-set.ts';
import { Failure } from '../../domain/failure.ts';
import { printable } from '../../domain/names/digest.ts';
import type { ByteSink } from '../copy/content.ts';
import type { BundleMedium } from './bundle-medium.ts';
import { mediaFailure } from '../disk/media-failure.ts';
import { readFilePart, type FilePart } from './read-file.ts';

/** Non-blocking, so that a FIFO does not hang us; no link is followed in the last part of a path. */
const plainFile = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const plainFolder = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_DIRECTORY;
const maxFiles = bundleCaps.blobs + bundleCaps.roots + 3;

/** The folders of a bundle, parents first; nothing else may be inside it. */
const folders = ['', 'blobs', 'blobs/sha256', 'roots'] as const;

/**
 * Opens a bundle's directory. Its folders are held open and files are opened below them, so that a folder which is
 * swapped for a link during an import changes nothing. Throws `NotRegularFile` for links, devices, pipes and files
 * with a second name, `BundleCorrupt` for names that no bundle has, `BundleTooLarge` for too many of them.
 */
export async function openBundleFolder(path: string): Promise<BundleMedium> {
  const handles = new Map<string, FileHandle>();
  try {
    const root = await realpath(path);
    for (const folder of folders) {
      const parent = folder.includes('/') ? handles.get('blobs') : handles.get('');
      if (folder !== '' && parent === undefined) continue;
      const at = parent === undefined ? root : below(parent, folder.split('/').at(-1) ?? '', root, folder);
      const handle = await openFolder(at, folder);
      if (handle !== undefined) handles.set(folder, handle);
    }
    const names = await listNames(handles, root);
    const medium = new BundleFolder(path, root, handles);
    medium.files = await sizesOf(medium, names);
    return medium;
  } catch (error) {
    await closeAll(handles);
    throw mediaFailure(error, printable(path));
  }
}

async function openFolder(path: string, name: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, plainFolder);
  } catch (error) {
    // Which parts have to be there is for the signed list to say.
    if (name !== '' && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw mediaFailure(error, name === '' ? printable(path) : name);
  }
}

/** A name below an open folder: by its descriptor where the system has such paths, so that no parent is looked up again. */
function below(folder: FileHandle, name: string, root: string, relative: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${folder.fd}/${name}` : join(root, relative);
}

async function listNames(handles: ReadonlyMap<string, FileHandle>, root: string): Promise<string[]> {
  const names: string[] = [];
  for (const [folder, handle] of handles) {
    for await (const entry of await opendir(below(handle, '.', root, folder))) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (handles.has(name)) continue;
      if (!isBundleFileName(name)) {
        const odd = !entry.isFile() && !entry.isDirectory();
        throw new Failure(odd ? 'NotRegularFile' : 'BundleCorrupt', {
          subject: printable(name),
          detail: 'no bundle has a file of this name',
        });
      }
      names.push(name);
      if (names.length > maxFiles)
        throw new Failure('BundleTooLarge', { detail: `more than ${maxFiles} files` });
    }
  }
  return names.sort();
}

async function sizesOf(folder: BundleFolder, names: readonly string[]): Promise<BundleFile[]> {
  const files: BundleFile[] = [];
  for (const name of names) {
    const handle = await folder.open(name);
    files.push({ name, size: (await handle.stat()).size });
    await handle.close();
  }
  return files;
}

async function closeAll(handles: ReadonlyMap<string, FileHandle>): Promise<void> {
  await Promise.allSettled([...handles.values()].map((handle) => handle.close()));
}

class BundleFolder implements BundleMedium {
  readonly label: string;
  files: readonly BundleFile[] = [];
  readonly #root: string;
  readonly #handles: ReadonlyMap<string, FileHandle>;

  constructor(label: string, root: string, handles: ReadonlyMap<string, FileHandle>) {
    this.label = label;
    this.#root = root;
    this.#handles = handles;
  }

  async open(name: string): Promise<FileHandle> {
    const folder = name.slice(0, Math.max(0, name.lastIndexOf('/')));
    const parent = this.#handles.get(folder);
    if (parent === undefined || !isBundleFileName(name)) {
      throw new Failure('BundleIncomplete', { subject: printable(name) });
    }
    let handle: FileHandle;
    try {
      handle = await open(
        below(parent, name.slice(folder.length === 0 ? 0 : folder.length + 1), this.#root, name),
        plainFile,
      );
    } catch (error) {
      throw mediaFailure(error, name);
    }
    const { nlink, isFile } = await handle
      .stat()
      .then((stat) => ({ nlink: stat.nlink, isFile: stat.isFile() }));
    if (isFile && nlink === 1) return handle;
    await handle.close();
    throw new Failure('NotRegularFile', { subject: name });
  }

  read(name: string, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    return this.withFile(name, ({ handle, length }) =>
      readFilePart({ handle, start: from, length: Math.max(0, length - from), name }, sink, signal),
    );
  }

  async withFile<T>(name: string, use: (whole: FilePart) => Promise<T>): Promise<T> {
    const handle = await this.open(name);
    try {
      const { size } = await handle.stat();
      return await use({ handle, start: 0, length: size, name });
    } finally {
      await handle.close();
    }
  }

  close(): Promise<void> {
    return closeAll(this.#handles);
  }
}
