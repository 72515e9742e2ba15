import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Endpoints } from '../../infra/local/endpoints.ts';
import { readEndpoints } from '../../infra/local/endpoints.ts';

/** Path of the running stack's endpoints.json. Throws where none runs. */
export function endpointsPath(): string {
  const path = process.env['IMAGEFERRY_ENDPOINTS'];
  if (path === undefined) throw new Error('No stack is running: run this test with npm test -- FILE.');
  return path;
}

/** Where the running stack's parts are. For tests in test/e2e only: for them alone the stack is started. */
export const endpoints = (): Endpoints => readEndpoints(endpointsPath());

/** The pid that one of the stack's processes has now, such as `worker`; it is started again when it is killed. */
export function pidOf(name: 'api' | 'worker' | 'etcd' | 'upstream' | 'edge' | 's3' | 'temporal'): number {
  const path = join(dirname(endpointsPath()), 'run', `${name}.json`);
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly pid: number }).pid;
}
