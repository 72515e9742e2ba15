import { writePrivately } from './secrets.ts';

/** Writes a kubeconfig for one token. JSON is YAML. */
export function writeKubeconfig(path: string, server: string, ca: string, token: string): void {
  const name = 'imageferry';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      { name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
  };
  writePrivately(path, `${JSON.stringify(config, null, 2)}\n`);
}
