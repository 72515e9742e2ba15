import { parseProxySettings, type ProxySettings } from '../domain/registry/proxy.ts';

/** What the worker may do. */
const roles = ['hub', 'copy'] as const;
type Role = (typeof roles)[number];

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** The worker's settings, all from the environment. */
export interface WorkerSettings {
  /** `KUBECONFIG`. Default: the cluster that the process runs in. */
  readonly kubeconfig: string | undefined;
  /** `TEMPORAL_ADDRESS`. Default: `127.0.0.1:7233`. */
  readonly temporalAddress: string;
  /** `TEMPORAL_NAMESPACE`. Default: `default`. */
  readonly temporalNamespace: string;
  /** `TEMPORAL_CODEC_KEYS`. Default: payloads stay readable. */
  readonly codecKeys: string | undefined;
  /** `METRICS_PORT`. Default: no metrics are served. */
  readonly metricsPort: number | undefined;
  /** `METRICS_HOST`. Default: `127.0.0.1`. */
  readonly metricsHost: string;
  /** `LOG_LEVEL`. Default: `info`. */
  readonly logLevel: (typeof levels)[number];
  /** `IMAGEFERRY_PLUGINS`: modules with registry adapters, see docs/plugins.md. Default: none. */
  readonly plugins: string | undefined;
  /** `WORKER_ROLES`: `hub` runs workflows, light steps and reconcilers, `copy` moves bytes. Default: both. */
  readonly roles: readonly Role[];
  /** `S3_ENDPOINT` (default: AWS), `S3_REGION` (`us-east-1`) and `S3_BUCKET` (`imageferry`): where bundles are kept. */
  readonly bundleStore: {
    readonly endpoint?: string;
    readonly region: string;
    readonly bucket: string;
    /** `S3_ALLOW_HTTP=true`: plain http may be spoken with another machine. */
    readonly allowHttp: boolean;
  };
  /** How this worker keeps its part of the audit log. */
  readonly audit: WorkerAuditSettings;
  /**
   * `STATE_DIR`: a folder where cut-off uploads are noted, so that they go on after a restart; several processes may share
   * it. Default: they are noted in memory.
   */
  readonly stateDir: string | undefined;
  /** `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`: how registries are reached. Default: directly. */
  readonly proxies: ProxySettings;
  /** `COPY_CONCURRENCY`: copies that this process runs at once. Default: 4. */
  readonly copyConcurrency: number;
}

/** Where and how the audit log is kept; its bucket is that of the bundles. */
export interface WorkerAuditSettings {
  /** `AUDIT_STREAM`. Default: `worker`. */
  readonly stream: string;
  /** `AUDIT_SIGNING_KEY_FILE`: PEM, Ed25519. Default: checkpoints are not signed. */
  readonly signingKeyFile: string | undefined;
  /** `AUDIT_SPOOL_DIR`: where entries wait while the log is away. Default: nowhere, the work waits. */
  readonly spoolFolder: string | undefined;
  /** `AUDIT_RETENTION_DAYS`. Default: for ever. */
  readonly retentionDays: number | undefined;
  /** `AUDIT_CHECKPOINT_BUCKET`. Default: checkpoints are kept once. */
  readonly checkpointBucket: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Parses the environment. Throws an error that names the variable that is wrong and never shows its value. */
export function parseWorkerSettings(environment: Environment): WorkerSettings {
  const read = (name: string): string | undefined => environment[name] || undefined;
  const port = read('METRICS_PORT');
  const days = read('AUDIT_RETENTION_DAYS');
  return {
    kubeconfig: read('KUBECONFIG'),
    temporalAddress: read('TEMPORAL_ADDRESS') ?? '127.0.0.1:7233',
    temporalNamespace: read('TEMPORAL_NAMESPACE') ?? 'default',
    codecKeys: read('TEMPORAL_CODEC_KEYS'),
    metricsPort: port === undefined ? undefined : whole('METRICS_PORT', port, 65_535),
    metricsHost: read('METRICS_HOST') ?? '127.0.0.1',
    logLevel: oneOf('LOG_LEVEL', read('LOG_LEVEL') ?? 'info', levels),
    plugins: read('IMAGEFERRY_PLUGINS'),
    roles: (read('WORKER_ROLES') ?? 'hub,copy')
      .split(',')
      .map((role) => oneOf('WORKER_ROLES', role.trim(), roles)),
    bundleStore: {
      region: read('S3_REGION') ?? 'us-east-1',
      bucket: read('S3_BUCKET') ?? 'imageferry',
      ...endpointOf(read('S3_ENDPOINT')),
      allowHttp: read('S3_ALLOW_HTTP') === 'true',
    },
    audit: {
      stream: read('AUDIT_STREAM') ?? 'worker',
      signingKeyFile: read('AUDIT_SIGNING_KEY_FILE'),
      spoolFolder: read('AUDIT_SPOOL_DIR'),
      retentionDays: days === undefined ? undefined : whole('AUDIT_RETENTION_DAYS', days, 36_500),
      checkpointBucket: read('AUDIT_CHECKPOINT_BUCKET'),
    },
    stateDir: read('STATE_DIR'),
    proxies: parseProxySettings(environment),
    copyConcurrency: whole('COPY_CONCURRENCY', read('COPY_CONCURRENCY') ?? '4', 200),
  };
}

const endpointOf = (endpoint: string | undefined): { readonly endpoint?: string } =>
  endpoint === undefined ? {} : { endpoint };

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === text);
  if (found === undefined) throw new Error(`wrong settings: ${name} must be one of ${allowed.join(', ')}`);
  return found;
}

function whole(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < 1 || value > most)
    throw new Error(`wrong settings: ${name} must be a whole number from 1 to ${most}`);
  return value;
}
