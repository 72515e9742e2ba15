import { CoreV1Api, PatchStrategy, setHeaderOptions, type KubeConfig } from '@kubernetes/client-node';
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { generate } from 'selfsigned';
import { systemNamespace } from '../../domain/resources/meta.ts';
import { clusterCall, clusterCallIfPresent } from './cluster-call.ts';
import { fieldManager } from './resource-client.ts';

/** A server certificate that is its own authority, and its key, both PEM. */
export interface ServingCertificate {
  readonly certificate: string;
  readonly key: string;
  /** What replicas that have not looked again yet still serve. Default: there was none. */
  readonly previous?: string;
}

/** What callers should trust: the certificate, and the one before it. */
export const trustOf = ({ certificate, previous }: ServingCertificate): string =>
  previous === undefined ? certificate : `${certificate.trimEnd()}\n${previous}`;

const name = 'image-webhook-tls';
const lifetimeDays = 365;
/** A certificate with less than this left is replaced. */
const renewBeforeDays = 60;
const dayMs = 86_400_000;
const applyPatch = setHeaderOptions('Content-Type', PatchStrategy.ServerSideApply);

/**
 * The certificate that the webhooks are served with: kept in a Secret, so that all replicas serve the same one, and made
 * anew when it ends within 60 days or was made for another host.
 */
export async function webhookCertificate(
  config: KubeConfig,
  host: string,
  now: Date,
): Promise<ServingCertificate> {
  const core = config.makeApiClient(CoreV1Api);
  const found = await clusterCallIfPresent(`secrets/${name}`, () =>
    core.readNamespacedSecret({ namespace: systemNamespace, name }),
  );
  const text = (key: string): string => Buffer.from(found?.data?.[key] ?? '', 'base64').toString('utf8');
  const kept = { certificate: text('tls.crt'), key: text('tls.key'), ...previousOf(text('previous.crt')) };
  if (isGood(kept.certificate, host, now)) return kept;
  const fresh = { ...(await makeCertificate(host, now)), ...previousOf(kept.certificate) };
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: {
      name,
      namespace: systemNamespace,
      labels: { 'app.kubernetes.io/part-of': 'image-management' },
    },
    stringData: {
      'tls.crt': fresh.certificate,
      'tls.key': fresh.key,
      ...(fresh.previous === undefined ? {} : { 'previous.crt': fresh.previous }),
    },
  };
  await clusterCall(`secrets/${name}`, () =>
    core.patchNamespacedSecret(
      { namespace: systemNamespace, name, body, fieldManager, force: true },
      applyPatch,
    ),
  );
  return fresh;
}

const previousOf = (certificate: string): { readonly previous?: string } =>
  certificate === '' ? {} : { previous: certificate };

function isGood(pem: string, host: string, now: Date): boolean {
  if (pem === '') return false;
  const certificate = new X509Certificate(pem);
  const named = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
  return named !== undefined && Date.parse(certificate.validTo) - now.getTime() > renewBeforeDays * dayMs;
}

async function makeCertificate(host: string, now: Date): Promise<ServingCertificate> {
  const made = await generate([{ name: 'commonName', value: 'imageferry-webhook' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    // An hour back, because the API server's clock may be behind ours.
    notBeforeDate: new Date(now.getTime() - 3_600_000),
    notAfterDate: new Date(now.getTime() + lifetimeDays * dayMs),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host }],
      },
    ],
  });
  return { certificate: made.cert, key: made.private };
}
