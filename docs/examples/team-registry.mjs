// A plug-in for Imageferry: the registry of one team, which lets in machines only and says so in a header of its own.
// Use: IMAGEFERRY_PLUGINS=/path/team-registry.mjs for the API and the worker, then `provider: team-registry`.

/** The contract that this plug-in was written for. */
export const imageferryPlugin = 1;

export const providers = [
  {
    name: 'team-registry',

    /** Checks a credential: what it returns is shown in the RegistrySecret's status, what it throws is the reason. */
    async verify({ registry, standard, request, fail }) {
      if (registry.username.includes('@')) {
        fail('Forbidden', `${registry.username} is a person: use a robot account`);
      }
      // signs in and finds out what may be pulled and pushed, as for any registry
      const found = await standard();
      const answer = await request({ path: '/v2/' });
      const remaining = Number(answer.header('x-team-pulls-left') ?? Number.NaN);
      if (!Number.isInteger(remaining)) return found;
      return { ...found, pullQuota: { remaining, limit: 10_000, windowSeconds: 86_400 } };
    },
  },
];
