import { join } from 'node:path';
import type { Ports } from '../ports.ts';
import { answers } from '../probe.ts';
import type { Running } from '../process.ts';
import { start } from '../process.ts';

/** etcd for the API server. Its data is in `folder/etcd`. */
export function startEtcd(folder: string, program: string, ports: Ports): Promise<Running> {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return start(folder, {
    name: 'etcd',
    program,
    args: [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      '--log-level=warn',
    ],
    ready: () => answers(`${client}/health`, [200]),
  });
}
