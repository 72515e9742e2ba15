import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every port of the stack: the variable that sets it and its default. All listen on 127.0.0.1 only. */
export const ports = {
  api: ['API_PORT', 8080],
  webhook: ['WEBHOOK_PORT', 9443],
  metrics: ['METRICS_PORT', 9464],
  temporal: ['TEMPORAL_PORT', 7233],
  temporalUi: ['TEMPORAL_UI_PORT', 8233],
  temporalHttp: ['TEMPORAL_HTTP_PORT', 7243],
  temporalMetrics: ['TEMPORAL_METRICS_PORT', 9091],
  apiserver: ['KUBE_APISERVER_PORT', 6443],
  etcd: ['ETCD_PORT', 2379],
  etcdPeer: ['ETCD_PEER_PORT', 2380],
  s3: ['S3_PORT', 8333],
  s3Grpc: ['S3_GRPC_PORT', 18333],
  s3Master: ['S3_MASTER_PORT', 9333],
  s3MasterGrpc: ['S3_MASTER_GRPC_PORT', 19333],
  s3Volume: ['S3_VOLUME_PORT', 9340],
  s3VolumeGrpc: ['S3_VOLUME_GRPC_PORT', 19340],
  s3Filer: ['S3_FILER_PORT', 8888],
  s3FilerGrpc: ['S3_FILER_GRPC_PORT', 18888],
  s3Admin: ['S3_ADMIN_PORT', 23646],
  s3AdminGrpc: ['S3_ADMIN_GRPC_PORT', 33646],
  upstream: ['UPSTREAM_PORT', 5001],
  edge: ['EDGE_PORT', 5002],
} as const;

export type PortName = keyof typeof ports;
export type Ports = Readonly<Record<PortName, number>>;

/** The ports to use: the variable where it is set, else the default, or a random free one where `random` is true. */
export async function choosePorts(random: boolean, env: NodeJS.ProcessEnv = process.env): Promise<Ports> {
  const chosen = new Map<string, number>();
  for (const [name, [variable, standard]] of Object.entries(ports)) {
    const set = env[variable];
    const port = set === undefined || random ? standard : Number(set);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new Error(`${variable}=${set} is not a port number.`);
    chosen.set(name, random ? await freePort(new Set(chosen.values())) : port);
  }
  return Object.fromEntries(chosen) as Record<PortName, number>;
}

/** A process that was just killed may hold its ports a moment longer than its pid. */
const releaseMs = 3_000;

/** Throws one error that names every port that stays taken for three seconds, and the variable that changes it. */
export async function assertFree(chosen: Ports, names: readonly PortName[]): Promise<void> {
  const end = performance.now() + releaseMs;
  for (;;) {
    const taken: PortName[] = [];
    for (const name of names) if (!(await isFree(chosen[name]))) taken.push(name);
    if (taken.length === 0) return;
    if (performance.now() > end) throw new Error(portsTaken(chosen, taken));
    await sleep(200);
  }
}

function portsTaken(chosen: Ports, taken: readonly PortName[]): string {
  const lines = taken.map(
    (name) => `  port ${chosen[name]} (${name}): choose another with ${ports[name][0]}=…`,
  );
  return `These ports are taken by other programs:\n${lines.join('\n')}`;
}

/**
 * A port of 127.0.0.1 that nothing uses: below the range that the system hands out for outgoing connections, so that
 * nothing takes it before its user listens.
 */
export async function freePort(without: ReadonlySet<number> = new Set()): Promise<number> {
  for (;;) {
    const port = 11_000 + Math.floor(Math.random() * 21_000);
    if (!without.has(port) && (await isFree(port))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
