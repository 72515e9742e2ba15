import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseTag } from '../../domain/names/tag.ts';
import {
  closeImportSite,
  first,
  folder,
  onDisk,
  registry,
  rootFile,
  store,
  v1,
} from '../support/import-site.ts';

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
  async () => {
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
    const root = join(folder, 'root.1.json');
    writeFileSync(root, rootFile);
    const state = join(folder, 'packaged-state');
    const run = (...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync(join(amd64, 'imageferry'), args, {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: '', HOME: folder },
      });
      assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
      return stdout;
    };
    run('trust', 'pin', root, '--site', 'plant-7', '--state', state);
    const bundle = onDisk(first.files);
    run('bundle', 'import', bundle, '--registry', registry.domain, '--state', state, '--dry-run');
    assert.equal(await store('edge/app').resolve(parseTag('v1')), undefined);
    const told = run('bundle', 'import', bundle, '--registry', registry.domain, '--state', state);
    assert.match(told, /receipt: .*1\.json/);
    const there = await store('edge/app').resolve(parseTag('v1'));
    assert.equal(there?.digest, v1.manifest.descriptor.digest);
  },
);
