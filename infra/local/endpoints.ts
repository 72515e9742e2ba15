import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrivately } from './secrets.ts';

/** How one registry of the stack is used. */
export interface RegistryEndpoint {
  /** `host:port`. */
  readonly domain: string;
  readonly username: string;
  readonly password: string;
}

/** Where everything is: `endpoints.json`, read by other programs too, so its shape stays. */
export interface Endpoints {
  /** Base URL of our API. */
  readonly api: string;
  /** The page that the worker shows to Prometheus. */
  readonly workerMetrics: string;
  /** `host:port`. */
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  /** Base URL. */
  readonly temporalUi: string;
  /** Path of a kubeconfig that may do everything. */
  readonly kubeconfig: string;
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  readonly registries: { readonly upstream: RegistryEndpoint; readonly edge: RegistryEndpoint };
  /** Bearer tokens for our API. */
  readonly tokens: { readonly admin: string; readonly operator: string; readonly viewer: string };
}

/** Where `endpoints.json` of a folder is. */
export const endpointsFile = (folder: string): string => join(folder, 'endpoints.json');

/** Writes `endpoints.json`, readable by its owner only. */
export function writeEndpoints(folder: string, endpoints: Endpoints): void {
  writePrivately(endpointsFile(folder), `${JSON.stringify(endpoints, null, 2)}\n`);
}

/** Reads an `endpoints.json` that a start wrote. */
export function readEndpoints(path: string): Endpoints {
  return JSON.parse(readFileSync(path, 'utf8')) as Endpoints;
}
