import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';

const module = join(import.meta.dirname, '../../worker/stop-signal.ts');

/** How a process ends that gets a SIGTERM and then does something. */
async function ends(then: string): Promise<{ readonly code: number | null; readonly said: string }> {
  const program = `
    const { stopSignal } = await import(${JSON.stringify(module)});
    const signal = stopSignal({ withinMs: 300, onLate: () => console.log('late') });
    const hanging = setInterval(() => {}, 1000);
    signal.addEventListener('abort', () => { ${then} });
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said === 'ready\n') child.kill('SIGTERM');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

test('a process that is told to stop and waits for something that never comes is ended all the same', async () => {
  assert.deepEqual(await ends(''), { code: 1, said: 'ready\nlate\n' });
});

test('a process that stops in time ends by itself', async () => {
  assert.deepEqual(await ends('clearInterval(hanging);'), { code: 0, said: 'ready\n' });
});
