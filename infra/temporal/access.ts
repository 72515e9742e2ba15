import { readFileSync } from 'node:fs';
import type { TLSConfig } from '@temporalio/client';

/** How a process shows Temporal who it is, and how it knows Temporal. Default: neither, in the clear. */
export interface TemporalAccess {
  readonly apiKey?: string;
  readonly tls?: TLSConfig | true;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables that Temporal's own tools know: `TEMPORAL_API_KEY`, `TEMPORAL_TLS` (`true` or `false`; default: true
 * where one of the others is set), `TEMPORAL_TLS_SERVER_CA_CERT_PATH`, `TEMPORAL_TLS_SERVER_NAME`, and for mTLS
 * `TEMPORAL_TLS_CLIENT_CERT_PATH` with `TEMPORAL_TLS_CLIENT_KEY_PATH`. Throws an error that names the variable that is
 * wrong and never shows its value.
 */
export function temporalAccess(environment: Environment): TemporalAccess {
  const apiKey = environment['TEMPORAL_API_KEY'] || undefined;
  const tls = tlsOf(environment, apiKey !== undefined);
  if (apiKey !== undefined && tls === undefined)
    throw new Error(
      'wrong settings: TEMPORAL_API_KEY is not sent in the clear: TEMPORAL_TLS must not be false',
    );
  return { ...(apiKey === undefined ? {} : { apiKey }), ...(tls === undefined ? {} : { tls }) };
}

function tlsOf(environment: Environment, hasKey: boolean): TLSConfig | true | undefined {
  const config = configOf(environment);
  const isConfigured = Object.keys(config).length > 0;
  const wish = environment['TEMPORAL_TLS'] || String(isConfigured || hasKey);
  if (wish !== 'true' && wish !== 'false')
    throw new Error('wrong settings: TEMPORAL_TLS must be true or false');
  if (wish === 'false') return undefined;
  return isConfigured ? config : true;
}

function configOf(environment: Environment): TLSConfig {
  const ca = fileOf(environment, 'TEMPORAL_TLS_SERVER_CA_CERT_PATH');
  const crt = fileOf(environment, 'TEMPORAL_TLS_CLIENT_CERT_PATH');
  const key = fileOf(environment, 'TEMPORAL_TLS_CLIENT_KEY_PATH');
  const serverName = environment['TEMPORAL_TLS_SERVER_NAME'] || undefined;
  if ((crt === undefined) !== (key === undefined))
    throw new Error(
      'wrong settings: a client certificate for Temporal needs both its certificate and its key',
    );
  return {
    ...(ca === undefined ? {} : { serverRootCACertificate: ca }),
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
    ...(crt === undefined || key === undefined ? {} : { clientCertPair: { crt, key } }),
  };
}

function fileOf(environment: Environment, name: string): Buffer | undefined {
  const path = environment[name] || undefined;
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch {
    throw new Error(`wrong settings: the file that ${name} names cannot be read`);
  }
}
