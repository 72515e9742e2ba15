import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../../infra/local/install/programs.ts';
import { lineProgress } from '../../infra/local/install/progress.ts';
import { choosePorts } from '../../infra/local/ports.ts';
import { startTemporal } from '../../infra/local/servers/temporal.ts';

/** A Temporal server of its own, without anything else of the stack. */
export interface TemporalServer {
  /** `host:port`. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts one with an empty database; it takes about a second. */
export async function temporalServer(): Promise<TemporalServer> {
  const folder = mkdtempSync(join(process.env['IMAGEFERRY_TEST_DIR'] ?? tmpdir(), 'imageferry-temporal-'));
  const ports = await choosePorts(true);
  const running = await startTemporal(folder, await program('temporal', lineProgress()), ports);
  return {
    address: `127.0.0.1:${ports.temporal}`,
    stop: async () => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
