import { createServer } from 'node:net';
import { makeTelemetryFilterString, Runtime, type LogLevel } from '@temporalio/worker';
import type { Logger } from 'pino';

/** Sends what Temporal's runtime says into our log, and opens its own metrics on a loopback port where asked to. */
export async function installTemporalRuntime(
  log: Logger,
  withMetrics: boolean,
): Promise<{ readonly metricsUrl?: string }> {
  const bindAddress = withMetrics ? `127.0.0.1:${await freePort()}` : undefined;
  Runtime.install({
    logger: {
      log: (level, message, meta) => write(log, level, message, meta),
      trace: (message, meta) => write(log, 'TRACE', message, meta),
      debug: (message, meta) => write(log, 'DEBUG', message, meta),
      info: (message, meta) => write(log, 'INFO', message, meta),
      warn: (message, meta) => write(log, 'WARN', message, meta),
      error: (message, meta) => write(log, 'ERROR', message, meta),
    },
    // The worker stops by our own hand, see `untilStopped`.
    shutdownSignals: [],
    telemetryOptions: {
      logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) },
      ...(bindAddress === undefined ? {} : { metrics: { prometheus: { bindAddress } } }),
    },
  });
  return bindAddress === undefined ? {} : { metricsUrl: `http://${bindAddress}/metrics` };
}

const levels: Readonly<Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

function write(log: Logger, level: LogLevel, message: string, meta: object = {}): void {
  const { error, ...rest } = { error: undefined, ...meta };
  log[levels[level]]({ ...rest, ...(error === undefined ? {} : { err: error }) }, message);
}

/** Temporal's exporter does not tell which port it took, so it is given one. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
