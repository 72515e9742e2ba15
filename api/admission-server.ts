import { createServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';

/** A certificate and its key, both PEM. */
export interface ServingIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** The webhooks' server. */
export interface AdmissionServer {
  /** Serves with another certificate from the next connection on. */
  renew(identity: ServingIdentity): void;
  end(): void;
}

/** Serves the admission webhooks over TLS on all of `host`'s port. */
export async function serveAdmission(
  app: Hono,
  identity: ServingIdentity,
  address: { readonly host: string; readonly port: number },
): Promise<AdmissionServer> {
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const options = {
    cert: identity.certificate,
    key: identity.key,
    minVersion: 'TLSv1.2',
    requestTimeout: 15_000,
  } as const;
  const server = createServer(options, (request, response) => void listener(request, response));
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(address.port, address.host, listening.resolve);
  await listening.promise;
  return {
    renew: ({ certificate, key }) =>
      server.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' }),
    end: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
