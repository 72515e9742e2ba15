import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UploadFiles } from '../../../infra/copy/upload-files.ts';

const module = join(import.meta.dirname, '../../../infra/copy/upload-files.ts');

test('an upload that another process is sending to is left to it, and continued once that process is gone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'imageferry-notes-'));
  const script = `import { UploadFiles } from ${JSON.stringify(module)};
    new UploadFiles(${JSON.stringify(folder)}).remember('blob', 'https://r.example/upload/1');
    process.stdout.write('noted');
    setInterval(() => undefined, 1000);`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(other.stdout, 'data');
    const notes = new UploadFiles(folder);
    assert.equal(notes.recall('blob'), undefined);
    notes.remember('blob', 'https://r.example/upload/2');
    notes.remember('blob', undefined);
    other.kill('SIGKILL');
    await once(other, 'exit');
    assert.equal(notes.recall('blob'), 'https://r.example/upload/1');
    notes.remember('blob', 'https://r.example/upload/3');
    assert.equal(new UploadFiles(folder).recall('blob'), 'https://r.example/upload/3');
  } finally {
    other.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});
