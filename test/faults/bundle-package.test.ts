import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { parseTag } from '../../domain/names/tag.ts';
import { arm64Machine } from '../support/arm64-machine.ts';
import {
  closeImportSite,
  folder,
  onDisk,
  registry,
  rootFile,
  signer,
  store,
} from '../support/import-site.ts';
import { sampleBundle } from '../support/sample-bundle.ts';
import { randomBlob, sampleImage } from '../support/sample-image.ts';

after(closeImportSite);

const tree = join(import.meta.dirname, '..', '..');
/** Machine numbers of ELF files (System V ABI, `e_machine`). */
const machines = { amd64: 62, arm64: 183 } as const;

/** Unpacks an archive where nothing else is; the folder inside. */
function unpack(archive: string): string {
  const into = mkdtempSync(join(folder, 'package-'));
  execFileSync('tar', ['-xzf', archive, '-C', into]);
  const [top = ''] = readdirSync(into);
  return join(into, top);
}

const filesOf = (path: string): string[] => readdirSync(path, { recursive: true }).map(String).sort();

/** Packing fetches two runtimes and takes minutes: `IMAGEFERRY_PACKAGE=1 node --test test/faults/bundle-package.test.ts`. */
const options = { skip: process.env['IMAGEFERRY_PACKAGE'] === '1' ? false : 'IMAGEFERRY_PACKAGE is not 1' };

test(
  'the packaged command takes a bundle where nothing is installed: empty PATH, no node_modules',
  options,
  async (t) => {
    const output = execFileSync(process.execPath, ['infra/local/package-site.ts'], {
      cwd: tree,
      encoding: 'utf8',
    });
    const archives = output.trim().split('\n');
    assert.equal(archives.length, 2);
    const [amd64 = '', arm64 = ''] = archives.map(unpack);
    assert.deepEqual(filesOf(arm64), filesOf(amd64), 'both have the same files');
    assert.ok(!filesOf(amd64).some((name) => name.includes('node_modules')));
    for (const [path, machine] of [
      [amd64, machines.amd64],
      [arm64, machines.arm64],
    ] as const) {
      const head = readFileSync(join(path, 'runtime/node')).subarray(0, 20);
      assert.deepEqual([head.subarray(1, 4).toString(), head.readUInt16LE(18)], ['ELF', machine]);
    }
    if (process.arch !== 'x64') return;
    await takeBundle(amd64, [join(amd64, 'imageferry')]);
    const machine = arm64Machine(folder);
    if (typeof machine === 'string') return t.diagnostic(`arm64 was not run: ${machine}`);
    await takeBundle(arm64, [...machine.before, join(arm64, 'imageferry')]);
    t.diagnostic('arm64 was run in qemu, launcher and all, on a root with a shell and libraries only');
  },
);

/** What a carrier's first visit does: help, trust, a dry run, the import; into a place of its own. */
async function takeBundle(unpacked: string, command: readonly string[]): Promise<void> {
  const [program = '', ...before] = command;
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(program, [...before, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: '', HOME: folder },
    });
    assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const image = sampleImage([randomBlob(300_000)]);
  const repo = `packaged/${basename(unpacked).split('-').at(-1)}`;
  const bundle = onDisk(sampleBundle([{ repo, tag: 'v1', image }], [signer], [rootFile]).files);
  const [root, state] = [join(folder, 'root.1.json'), join(unpacked, 'state')];
  writeFileSync(root, rootFile);
  assert.match(run('--help'), /bundle/);
  run('trust', 'pin', root, '--site', 'plant-7', '--state', state);
  const to = ['--registry', registry.domain, '--state', state];
  run('bundle', 'import', bundle, ...to, '--dry-run');
  assert.equal(await store(repo).resolve(parseTag('v1')), undefined);
  assert.match(run('bundle', 'import', bundle, ...to), /receipt: .*1\.json/);
  assert.equal((await store(repo).resolve(parseTag('v1')))?.digest, image.manifest.descriptor.digest);
}
