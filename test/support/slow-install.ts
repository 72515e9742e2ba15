import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installed } from '../../infra/local/install/cache.ts';
import { quietProgress } from '../../infra/local/install/progress.ts';

/** A process of its own that installs a program slowly: `slow-install.ts CACHE MILLISECONDS`. */
const [cache = '', milliseconds = '0'] = process.argv.slice(2);
await installed(
  {
    name: 'tool',
    version: '1',
    install: async (folder) => {
      appendFileSync(join(cache, 'installs'), 'once\n');
      process.stdout.write('busy\n');
      await sleep(Number(milliseconds));
      writeFileSync(join(folder, 'tool'), '');
    },
  },
  quietProgress,
  cache,
);
