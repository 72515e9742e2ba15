import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { claim, stopLeftovers } from './running.ts';

const folder = join(import.meta.dirname, '..', '..', '.local');

/** Forgets all state of `npm start`; what is installed in the cache stays. Refuses while it runs. */
try {
  const held = claim(folder);
  const stopped = await stopLeftovers(folder);
  if (stopped.length > 0) console.log(`  ✓ stopped what a killed start left: ${stopped.join(', ')}`);
  rmSync(folder, { recursive: true, force: true });
  held.release();
  console.log('  ✓ .local is gone: the next start begins from nothing');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
