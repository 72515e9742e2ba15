import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeFolder, makeFolderSync } from '../../../infra/disk/make-folder.ts';
import { rejection } from '../../support/refusal.ts';

const folder = mkdtempSync(join(tmpdir(), 'imageferry-folder-'));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'file'), '');
mkdirSync(join(folder, 'there'));
symlinkSync('there', join(folder, 'link'));
symlinkSync('nowhere', join(folder, 'dangling'));

const ways = { awaited: makeFolder, sync: async (path: string, mode?: number) => makeFolderSync(path, mode) };

for (const [way, make] of Object.entries(ways)) {
  test(`${way}: a folder is made with those above it, in its mode, and once more changes nothing`, async () => {
    const path = join(folder, way, 'b', 'c');
    await make(path, 0o700);
    await make(path);
    for (const each of [path, join(path, '..')]) assert.equal(statSync(each).mode & 0o777, 0o700);
    await make(join(folder, 'link', way));
    assert.ok(statSync(join(folder, 'there', way)).isDirectory());
  });

  for (const place of ['file', 'file/below', 'dangling', `${'x'.repeat(300)}/y`])
    test(`${way}: ${place.slice(0, 20)} can be no folder`, async () => {
      await rejection('InvalidRequest', make(join(folder, place)));
    });

  // In a process of its own, which ends even where this hangs.
  test(`${way}: below a folder in which nothing can be made it is refused, and does not hang`, () => {
    const module = JSON.stringify(import.meta.resolve('../../../infra/disk/make-folder.ts'));
    const call = way === 'sync' ? 'makeFolderSync' : 'makeFolder';
    const code = `const m = await import(${module}); try { await m.${call}('/proc/x/y/z'); } catch (e) { console.log(e.code); }`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { timeout: 20_000 });
    assert.equal(String(stdout).trim(), 'InvalidRequest');
  });
}
