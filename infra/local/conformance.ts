import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { lineProgress } from './install/progress.ts';
import { program } from './install/programs.ts';
import { startProduct, type Product } from './product.ts';
import { untilStopped } from './until-stopped.ts';

/**
 * Seconds after which a run is cut, which fails it; made-up calls end by themselves before. Not schemathesis's own
 * `--max-time`: until that is over it makes up more of them, so that its end says nothing.
 */
const longestRun = 1800;
/** Of the report: operations chosen, operations there are, operations called. */
const called = /Selected: (\d+)\/(\d+)\s+Tested: (\d+)/;
/** What each answer is held against. Whether a made-up body is taken is not: rules of the cluster are in no schema. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'ignored_auth',
];

/** Calls every route of a fresh product with what schemathesis makes up of the OpenAPI document. */
async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'imageferry-conformance-'));
  const progress = lineProgress();
  const stopped = untilStopped();
  let product: Product | undefined;
  try {
    const schemathesis = await program('schemathesis', progress);
    const env = { ...process.env, API_RATE_PER_SECOND: '10000', API_RATE_BURST: '10000' };
    product = await startProduct({ folder, randomPorts: true, progress, env });
    return await judge(schemathesis, product.endpoints, folder, stopped);
  } finally {
    await product?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge(
  schemathesis: string,
  { api, tokens }: Product['endpoints'],
  cwd: string,
  stopped: Promise<unknown>,
): Promise<number> {
  const bounds = ['--max-examples', '20', '--request-timeout', '30', '--seed', '1'];
  const what = ['--phases', 'coverage,fuzzing', '--checks', checks.join(','), '--continue-on-failure'];
  const caller = ['--header', `Authorization: Bearer ${tokens.admin}`, '--output-sanitize', 'true'];
  const args = ['run', `${api}/openapi.json`, ...caller, ...what, ...bounds, ...process.argv.slice(2)];
  const child = spawn(schemathesis, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  void stopped.then(() => child.kill('SIGTERM'));
  const cut = setTimeout(() => child.kill('SIGTERM'), longestRun * 1000);
  let report = '';
  child.stdout.on('data', (bytes: Buffer) => {
    process.stdout.write(bytes);
    report += stripVTControlCharacters(bytes.toString('utf8'));
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(cut);
      const end = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      const isWhole = calledAll(report);
      if (!isWhole) console.error('Not every operation was called, or the run was cut.');
      resolve(end === 0 && !isWhole ? 1 : end);
    });
  });
}

/** Whether a report tells of every operation; one of a run that was cut tells of none. */
function calledAll(report: string): boolean {
  const [, selected, total, tested] = called.exec(report) ?? [];
  return total !== undefined && Number(total) > 0 && selected === total && tested === total;
}

process.exitCode = await main();
