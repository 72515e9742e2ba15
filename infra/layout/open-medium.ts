import { stat } from 'node:fs/promises';
import { printable } from '../../domain/names/digest.ts';
import { openBundleArchive } from './bundle-archive.ts';
import { openBundleFolder } from './bundle-folder.ts';
import type { BundleMedium } from './bundle-medium.ts';
import { mediaFailure } from '../disk/media-failure.ts';

/** Opens a bundle where it is: a directory, or else an archive. */
export async function openBundleMedium(path: string): Promise<BundleMedium> {
  let isFolder = false;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    throw mediaFailure(error, printable(path));
  }
  return isFolder ? openBundleFolder(path) : openBundleArchive(path);
}
