import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Ports } from '../ports.ts';
import type { Running } from '../process.ts';
import { start } from '../process.ts';
import type { Secrets } from '../secrets.ts';
import { serviceAccountKey, writePrivately } from '../secrets.ts';

/** Audience that our API asks TokenReview for; the API server must know it, or it says that the token is not for us. */
export const tokenAudience = 'edge-image-api';
const clusterAudience = 'https://kubernetes.default.svc';

/** The product's own identity: the service account that the deployment runs as. */
const controllerUser = 'system:serviceaccount:edge-system:image-controller';

/** kube-apiserver with RBAC and fixed tokens. Its certificate and keys are in `folder/apiserver`. */
export async function startApiServer(
  folder: string,
  program: string,
  ports: Ports,
  secrets: Secrets,
): Promise<Running> {
  const tokens = join(folder, 'tokens.csv');
  const key = serviceAccountKey(folder);
  writePrivately(tokens, tokenFile(secrets.tokens));
  return start(folder, {
    name: 'kube-apiserver',
    program,
    args: [
      `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--secure-port=${ports.apiserver}`,
      `--cert-dir=${join(folder, 'apiserver')}`,
      '--service-cluster-ip-range=10.97.0.0/24',
      `--service-account-issuer=${clusterAudience}`,
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      `--api-audiences=${tokenAudience},${clusterAudience}`,
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      // Without a controller-manager nothing makes default service accounts, and pods would wait for them.
      '--disable-admission-plugins=ServiceAccount',
    ],
    ready: () => ready(ports.apiserver, caOf(folder), secrets.tokens.clusterAdmin),
  });
}

/** The certificate that the API server made for itself. */
export function caOf(folder: string): string {
  return readFileSync(join(folder, 'apiserver', 'apiserver.crt'), 'utf8');
}

function tokenFile(tokens: Secrets['tokens']): string {
  const rows: readonly (readonly [string, string, string])[] = [
    [tokens.clusterAdmin, 'local-cluster-admin', 'system:masters'],
    [tokens.controller, controllerUser, 'system:serviceaccounts,system:serviceaccounts:edge-system'],
    [tokens.admin, 'admin', 'imageferry:admins'],
    [tokens.operator, 'operator', 'imageferry:operators'],
    [tokens.viewer, 'viewer', 'imageferry:viewers'],
  ];
  return rows.map(([token, user, groups]) => `${token},${user},${user},"${groups}"\n`).join('');
}

function ready(port: number, ca: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const call = request(
      { host: '127.0.0.1', port, path: '/readyz', ca, headers, timeout: 2000 },
      (response) => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`/readyz answered ${response.statusCode}`));
      },
    );
    call.on('timeout', () => call.destroy(new Error('no answer in 2 seconds')));
    call.on('error', reject).end();
  });
}
