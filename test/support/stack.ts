import type { Endpoints } from '../../infra/local/endpoints.ts';
import { readEndpoints } from '../../infra/local/endpoints.ts';

/** Where the running stack's parts are. For tests in test/e2e only: for them alone the stack is started. */
export function endpoints(): Endpoints {
  const path = process.env['IMAGEFERRY_ENDPOINTS'];
  if (path === undefined) throw new Error('No stack is running: run this test with npm test -- FILE.');
  return readEndpoints(path);
}
