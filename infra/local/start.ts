import { join, relative } from 'node:path';
import type { Shown } from './demo/show.ts';
import { showMainJob } from './demo/show.ts';
import type { Endpoints } from './endpoints.ts';
import type { Progress } from './install/progress.ts';
import { elapsed, lineProgress } from './install/progress.ts';
import { kubectl } from './install/programs.ts';
import { startProduct } from './product.ts';
import { stopLeftovers } from './running.ts';
import { untilStopped } from './until-stopped.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, '.local');

function closing({ digest, bytes, sync, took }: Shown, endpoints: Endpoints, kubectlPath: string): string {
  const { api, temporalUi, temporalNamespace, kubeconfig, registries } = endpoints;
  const workflow = encodeURIComponent(sync.workflowId);
  const story = `${temporalUi}/namespaces/${temporalNamespace}/workflows/${workflow}/${sync.runId}/history`;
  const kube = `${kubectlPath} --kubeconfig ${relative(process.cwd(), kubeconfig) || kubeconfig}`;
  const resources = `${api}/oapis/image.theriseunion.io/v1alpha1/namespaces/default`;
  const token = `Authorization: Bearer $(node -p "require('./.local/endpoints.json').tokens.admin")`;
  return `
demo/hello:1.0 is at the edge (${registries.edge.domain}) after ${elapsed(took)}, ${bytes} bytes, ${digest}

  Console      ${api}/console   (sign in with a token from .local/endpoints.json)
  API          ${api}
  OpenAPI      ${api}/openapi.json
  Temporal UI  ${story}
  kubectl      ${kube} get repositories,registrysecrets -A
  addresses, passwords and tokens: .local/endpoints.json    logs: .local/logs

Three things to try
  1. Sync it now:     ${kube} annotate repository hello theriseunion.io/manual-sync="$(date +%s)" --overwrite
  2. See what it did: ${kube} get events --field-selector reason=ImageManagement
  3. Ask over REST:   curl -s -H "${token}" ${resources}/repositories

Ctrl-C stops everything; the state stays in .local (npm run clean forgets it).`;
}

/** Stopped in the middle of the set-up: what runs by now is known by its record. */
async function giveUp(progress: Progress): Promise<never> {
  progress.say('\nStopping …');
  await stopLeftovers(folder);
  process.exit(130);
}

async function main(): Promise<void> {
  const from = performance.now();
  const progress = lineProgress();
  progress.say('Imageferry starts: real servers, the API and a worker, all on this machine.');
  const stopped = untilStopped();
  const product = await Promise.race([startProduct({ folder, progress }), stopped]);
  if (product === undefined) return giveUp(progress);
  try {
    const shown = await Promise.race([showMainJob(product.endpoints, progress), stopped]);
    if (shown !== undefined) {
      progress.say(closing(shown, product.endpoints, await kubectl(progress)));
      progress.say(`(ready after ${elapsed(performance.now() - from)})`);
    }
    await stopped;
  } finally {
    progress.say('\nStopping …');
    await product.stop();
    progress.say('  ✓ all stopped');
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
