import { collectHarborGarbage, harborPulls } from './harbor-api.ts';
import { verifyOci } from './oci.ts';
import type { ProviderAdapter } from './provider.ts';

/**
 * Harbor: the credential is checked at its token service. Never at `GET /api/v2.0/projects`, which answers a wrong
 * password with 200 and the public projects (seen with 2.16). A scope that the account lacks comes back as a token with
 * fewer actions, which is why the token is read.
 */
export const harborAdapter: ProviderAdapter = {
  name: 'harbor',
  verify: verifyOci,
  collectGarbage: collectHarborGarbage,
  lastPulls: harborPulls,
};
