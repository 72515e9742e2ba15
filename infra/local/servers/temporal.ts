import { join } from 'node:path';
import { searchAttributes } from '../../../domain/sync/ids.ts';
import type { Ports } from '../ports.ts';
import { answers } from '../probe.ts';
import type { Running } from '../process.ts';
import { start } from '../process.ts';

/** The Temporal development server with its Web UI. Its data is in `folder/temporal.db`. */
export function startTemporal(folder: string, program: string, ports: Ports): Promise<Running> {
  return start(folder, {
    name: 'temporal',
    program,
    args: [
      'server',
      'start-dev',
      '--ip=127.0.0.1',
      `--port=${ports.temporal}`,
      `--ui-port=${ports.temporalUi}`,
      `--http-port=${ports.temporalHttp}`,
      `--metrics-port=${ports.temporalMetrics}`,
      `--db-filename=${join(folder, 'temporal.db')}`,
      '--sqlite-pragma=journal_mode=WAL',
      '--sqlite-pragma=synchronous=NORMAL',
      '--log-level=warn',
      '--ui-disable-news-fetch',
      ...Object.values(searchAttributes).map((name) => `--search-attribute=${name}=Keyword`),
    ],
    env: { TEMPORAL_VERSION_CHECK_DISABLED: '1' },
    ready: async () => {
      await answers(`http://127.0.0.1:${ports.temporalHttp}/api/v1/namespaces/default`, [200]);
      await answers(`http://127.0.0.1:${ports.temporalUi}/`, [200, 302]);
    },
  });
}
