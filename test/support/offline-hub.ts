import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ApiException, CoreV1Api } from '@kubernetes/client-node';
import type { EdgeSiteSpec } from '../../domain/resources/edge-site.ts';
import { applier } from '../../infra/local/apply.ts';
import { connectCluster } from '../../infra/kubernetes/connection.ts';
import { poolEnvironment } from './live-pool.ts';
import { endpoints } from './stack.ts';

const run = promisify(execFile);
const signingSecret = { name: 'imageferry-bundle-signing', namespace: 'edge-system' };
const generateRoot =
  'trust root --root-key signing.pub.pem --bundle-key signing.pub.pem --sign signing.pem --out root.1.json';

/** The command `imageferry` in a folder, and a hub that signs bundles. */
export interface OfflineHub {
  readonly ferry: (...args: string[]) => Promise<{ readonly stdout: string }>;
  /** Gives the hub its signing key, and the folder `root.1.json`. One key serves all test files of a run. */
  readonly sign: () => Promise<void>;
  /** Applies an offline site that trusts the root; its own folder is `state`. Applying it again changes it. */
  readonly site: (
    name: string,
    domain: string,
    state: string,
  ) => Promise<(bundle?: EdgeSiteSpec['bundle']) => Promise<void>>;
}

/** A hub for offline sites; what they keep is below a folder. */
export function offlineHub(folder: string): OfflineHub {
  const { kubeconfig } = endpoints();
  const { apply } = applier(kubeconfig);
  const ferry: OfflineHub['ferry'] = (...args) =>
    run(process.execPath, [join(import.meta.dirname, '../../worker/imageferry.ts'), ...args], {
      cwd: folder,
      env: { ...process.env, ...poolEnvironment() },
    });
  return {
    ferry,
    async sign() {
      await ferry('trust', 'keygen', 'signing');
      await ferry(...generateRoot.split(' '));
      const own = { 'signing.pem': '', 'root.1.json': '' };
      for (const name of Object.keys(own))
        Object.assign(own, { [name]: readFileSync(join(folder, name), 'utf8') });
      const kept = await firstOf(kubeconfig, own);
      writeFileSync(join(folder, 'root.1.json'), kept);
    },
    async site(name, domain, state) {
      const { stdout: pinned } = await ferry('trust', 'pin', 'root.1.json', '--site', name, '--state', state);
      const receiptKey = pinned.slice(pinned.indexOf('-----BEGIN'));
      return (bundle = {}) =>
        apply({
          apiVersion: 'image.theriseunion.io/v1alpha1',
          kind: 'EdgeSite',
          metadata: { name },
          spec: { mode: 'offline', registry: { domain }, bundle: { receiptKey, ...bundle } },
        });
    },
  };
}

/** Stores the signing key where no other test file has yet; the root that is in force. */
async function firstOf(kubeconfig: string, stringData: Readonly<Record<string, string>>): Promise<string> {
  const core = connectCluster(kubeconfig).makeApiClient(CoreV1Api);
  try {
    const body = { metadata: { name: signingSecret.name }, stringData };
    await core.createNamespacedSecret({ namespace: signingSecret.namespace, body });
    return stringData['root.1.json'] ?? '';
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== 409) throw error;
    const { data = {} } = await core.readNamespacedSecret(signingSecret);
    return Buffer.from(data['root.1.json'] ?? '', 'base64').toString('utf8');
  }
}
