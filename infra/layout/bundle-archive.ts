import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { bundleCaps } from '../../domain/bundle/caps.ts';
import { isBundleFileName, type BundleFile } from '../../domain/bundle/file-set.ts';
import { Failure } from '../../domain/failure.ts';
import { printable } from '../../domain/names/digest.ts';
import type { ByteSink } from '../copy/content.ts';
import type { BundleMedium } from './bundle-medium.ts';
import { mediaFailure } from '../disk/media-failure.ts';
import { readFilePart, type FilePart } from './read-file.ts';
import { claimedFile, paddingAfter, tarEndBytes, tarHeader } from './tar-plan.ts';

const maxMembers = bundleCaps.blobs + bundleCaps.roots + 3;

interface Member extends BundleFile {
  readonly start: number;
}

/**
 * Opens a bundle's archive. Only the tar that we write ourselves is read: each header has to be, bit for bit, the one
 * header of its name and size. Sparse files, long names, links, times, doubled members and whatever follows the end are
 * refused with `ArchiveInvalid`, without a case for each.
 */
export async function openBundleArchive(path: string): Promise<BundleMedium> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Failure('NotRegularFile', { subject: printable(path) });
    return new BundleArchive(path, handle, await membersOf(handle, stat.size));
  } catch (error) {
    await handle?.close();
    throw mediaFailure(error, printable(path));
  }
}

async function membersOf(handle: FileHandle, size: number): Promise<ReadonlyMap<string, Member>> {
  const members = new Map<string, Member>();
  let at = 0;
  while (at < size - tarEndBytes) {
    const header = await exactly(handle, at, 512);
    const file = claimedFile(header);
    if (!isBundleFileName(file.name)) refuse('a member with a name that no bundle has');
    if (!Number.isSafeInteger(file.size) || !Buffer.from(tarHeader(file)).equals(header)) {
      refuse(`${file.name}: not the header that a bundle has`);
    }
    if (members.has(file.name)) refuse(`${file.name} comes twice`);
    if (members.size >= maxMembers)
      throw new Failure('BundleTooLarge', { detail: `more than ${maxMembers} files` });
    const start = at + 512;
    const padding = paddingAfter(file.size);
    if (start + file.size + padding > size - tarEndBytes) refuse(`${file.name} is cut off`);
    if (!isEmpty(await exactly(handle, start + file.size, padding)))
      refuse(`${file.name}: padding is not empty`);
    members.set(file.name, { ...file, start });
    at = start + file.size + padding;
  }
  if (at !== size - tarEndBytes) refuse('it does not end with two empty blocks');
  if (!isEmpty(await exactly(handle, at, tarEndBytes))) refuse('it does not end with two empty blocks');
  return members;
}

async function exactly(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, at);
  return bytesRead === length ? buffer : refuse('it is cut off');
}

const isEmpty = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function refuse(detail: string): never {
  throw new Failure('ArchiveInvalid', { detail });
}

class BundleArchive implements BundleMedium {
  readonly label: string;
  readonly files: readonly BundleFile[];
  readonly #handle: FileHandle;
  readonly #members: ReadonlyMap<string, Member>;

  constructor(label: string, handle: FileHandle, members: ReadonlyMap<string, Member>) {
    this.label = label;
    this.#handle = handle;
    this.#members = members;
    this.files = [...members.values()].map(({ name, size }) => ({ name, size }));
  }

  read(name: string, from: number, sink: ByteSink, signal?: AbortSignal): Promise<void> {
    return this.withFile(name, ({ start, length, ...file }) =>
      readFilePart({ ...file, start: start + from, length: Math.max(0, length - from) }, sink, signal),
    );
  }

  async withFile<T>(name: string, use: (whole: FilePart) => Promise<T>): Promise<T> {
    const member = this.#members.get(name);
    if (member === undefined) throw new Failure('BundleIncomplete', { subject: printable(name) });
    return use({ handle: this.#handle, start: member.start, length: member.size, name });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
