import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { parseRepositoryPath } from '../../domain/names/repository-path.ts';
import { importBundle, type ImportOutcome } from '../../infra/bundle/import-bundle.ts';
import { openBundleMedium } from '../../infra/layout/open-medium.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import { planTar, streamTar } from '../../infra/layout/tar-plan.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { RegistryStore } from '../../infra/registry/registry-store.ts';
import { startRegistryProcess, type RegistryProcess } from './registry-process.ts';
import { sampleBundle, writeBundle, type SampleBundle } from './sample-bundle.ts';
import { randomBlob, sampleImage } from './sample-image.ts';
import { newSigner, rootOf, signRoot } from './signed-samples.ts';

/** Where everything of one test file lies. */
export const folder = mkdtempSync(join(tmpdir(), 'imageferry-import-'));
/** Signs roots and bundles. */
export const signer = newSigner();
/** The first root's file. */
export const rootFile = signRoot(rootOf(1, [signer]), [signer]);
/** Layers: in both images, only in the first, only in the second. */
export const [shared, old, fresh] = [randomBlob(40_000), randomBlob(30_000), randomBlob(20_000)];
/** The first image. */
export const v1 = sampleImage([shared, old]);
/** The second. */
export const v2 = sampleImage([shared, fresh]);
/** A full bundle. */
export const first = sampleBundle([{ repo: 'edge/app', tag: 'v1', image: v1 }], [signer], [rootFile]);
/** A delta on it. */
export const second = sampleBundle(
  [
    { repo: 'edge/app', tag: 'v1', image: v1 },
    { repo: 'edge/other', tag: 'v2', image: v2 },
  ],
  [signer],
  [rootFile],
  { base: first.base, changes: { sequence: 2, prevSequence: 1, prevManifestDigest: first.digest } },
);
const clients = new RegistryClients();
/** The site's registry. */
export const registry: RegistryProcess = await startRegistryProcess();
let count = 0;

/** A number of its own, for names. */
export const nextCount = (): number => (count += 1);

/** Stops what the fixture started. */
export async function closeImportSite(): Promise<void> {
  await clients.close();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** A site that trusts the first root and has nothing; `now` is its clock. */
export async function newSite(now = '2026-01-01T00:00:00.000Z'): Promise<SiteFolder> {
  const site = new SiteFolder(join(folder, `site-${(count += 1)}`));
  await site.pin(parseSiteName('plant-7'), rootFile, now);
  return site;
}

/** A bundle as a directory; its path. */
export const onDisk = (files: ReadonlyMap<string, Uint8Array>): string =>
  writeBundle(join(folder, `bundle-${(count += 1)}`), files);

/** A bundle as an archive. */
export async function archiveOf(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  const plan = planTar([...files].map(([name, bytes]) => ({ name, size: bytes.byteLength })));
  const chunks: Uint8Array[] = [];
  async function* part(
    file: { readonly name: string },
    from: number,
    length: number,
  ): AsyncIterable<Uint8Array> {
    yield (files.get(file.name) ?? new Uint8Array()).subarray(from, from + length);
  }
  for await (const chunk of streamTar(plan, 0, plan.size, part)) chunks.push(chunk);
  assert.equal(Buffer.concat(chunks).length, plan.size);
  return Buffer.concat(chunks);
}

/** A repository of the site's registry. */
export const store = (path: string, to = registry): RegistryStore =>
  new RegistryStore(
    clients.of({ domain: to.domain, provider: 'other' }),
    parseRepositoryPath(path),
    'destination',
  );

/** Imports. */
export async function bring(
  site: SiteFolder,
  path: string,
  options: Partial<Parameters<typeof importBundle>[1]> = {},
  to = registry,
): Promise<ImportOutcome> {
  const medium = await openBundleMedium(path);
  try {
    const repository = (repo: string): RegistryStore => store(repo, to);
    return await importBundle({ medium, folder: site, repository }, { now: Date.now, ...options });
  } finally {
    await medium.close();
  }
}

/** Whether nothing was ever written to the registry. */
export async function isEmpty(): Promise<boolean> {
  const answer = await fetch(`http://${registry.domain}/v2/_catalog`);
  return ((await answer.json()) as { repositories: string[] }).repositories.length === 0;
}

/** A bundle's files with a change. */
export const changed = (
  bundle: SampleBundle,
  change: (files: Map<string, Uint8Array>) => void,
): Map<string, Uint8Array> => {
  const files = new Map(bundle.files);
  change(files);
  return files;
};
/** An archive's file, changed; its path. */
export function archiveFile(tar: Buffer, change: (tar: Buffer) => Uint8Array): string {
  const path = join(folder, `archive-${(count += 1)}.tar`);
  writeFileSync(path, change(tar));
  return path;
}
