import { join } from 'node:path';
import { endpointsFile } from '../../infra/local/endpoints.ts';
import { lineProgress } from '../../infra/local/install/progress.ts';
import type { Product } from '../../infra/local/product.ts';
import { startProduct } from '../../infra/local/product.ts';
import { searchStack, secretsOfRun } from './canary/search.ts';

let product: Product | undefined;

/**
 * Starts the whole stack once for all end-to-end tests, on random ports. Where `IMAGEFERRY_ENDPOINTS` names the
 * endpoints.json of one that runs already, such as `.local/endpoints.json`, that one is used.
 */
export async function globalSetup(): Promise<void> {
  if (process.env['IMAGEFERRY_ENDPOINTS'] !== undefined) return;
  // read by the API and the worker, which the product starts: test/e2e/plugins.test.ts
  process.env['IMAGEFERRY_PLUGINS'] = join(import.meta.dirname, '../../docs/examples/team-registry.mjs');
  const folder = process.env['IMAGEFERRY_TEST_DIR'];
  if (folder === undefined) throw new Error('Run the end-to-end tests with npm test.');
  product = await startProduct({
    folder,
    randomPorts: true,
    progress: lineProgress((line) => void process.stdout.write(`# ${line.trim()}\n`)),
    env: withoutOwnServers(process.env),
  });
  process.env['IMAGEFERRY_ENDPOINTS'] = endpointsFile(folder);
}

/** Ends the stack, after a last look that none of the passwords that were used lies where it does not belong. */
export async function globalTeardown(): Promise<void> {
  if (product === undefined) return;
  try {
    const { places, secrets, found } = await searchStack(secretsOfRun());
    if (found.length > 0)
      throw new Error(`secrets lie where they do not belong:\n  ${found.slice(0, 20).join('\n  ')}`);
    process.stdout.write(`# none of ${secrets} secrets is in any of ${places} places\n`);
  } finally {
    await product.stop();
  }
}

/** Tests make and break things, so they never touch a cluster that happens to be set in the shell. */
function withoutOwnServers(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { KUBECONFIG: _kubernetes, TEMPORAL_ADDRESS: _temporal, S3_ENDPOINT: _s3, ...rest } = env;
  return rest;
}
