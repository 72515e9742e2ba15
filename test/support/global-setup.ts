import { endpointsFile } from '../../infra/local/endpoints.ts';
import { lineProgress } from '../../infra/local/install/progress.ts';
import type { Product } from '../../infra/local/product.ts';
import { startProduct } from '../../infra/local/product.ts';

let product: Product | undefined;

/**
 * Starts the whole stack once for all end-to-end tests, on random ports. Where `IMAGEFERRY_ENDPOINTS` names the
 * endpoints.json of one that runs already, such as `.local/endpoints.json`, that one is used.
 */
export async function globalSetup(): Promise<void> {
  if (process.env['IMAGEFERRY_ENDPOINTS'] !== undefined) return;
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

export async function globalTeardown(): Promise<void> {
  await product?.stop();
}

/** Tests make and break things, so they never touch a cluster that happens to be set in the shell. */
function withoutOwnServers(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { KUBECONFIG: _kubernetes, TEMPORAL_ADDRESS: _temporal, S3_ENDPOINT: _s3, ...rest } = env;
  return rest;
}
