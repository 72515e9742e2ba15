import { Failure } from '../../domain/failure.ts';
import { parseReference, type Reference } from '../../domain/names/reference.ts';
import { parseRegistryDomain, type RegistryDomain } from '../../domain/names/registry-domain.ts';
import type { RepositoryPath } from '../../domain/names/repository-path.ts';
import { parseProxySettings } from '../../domain/registry/proxy.ts';
import type { RegistryAccess } from '../../infra/copy/engine.ts';
import { dockerConfigPath, dockerCredential } from '../../infra/registry/docker-config.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { RegistryStore, type StoreRole } from '../../infra/registry/registry-store.ts';
import { givenFile } from './given-file.ts';

/** Options of every command that talks to a registry, as commander hands them over. */
export interface RegistryOptions {
  readonly insecure: readonly string[];
  readonly realm: readonly string[];
  readonly ca?: string;
  readonly allowPrivate: boolean;
  readonly authfile?: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly gcSettle?: string;
  readonly gcDeletesUntagged?: boolean;
}

/** Opens repositories with the credentials that `docker login` stored. */
export class Registries {
  readonly clients: RegistryClients;
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.clients = new RegistryClients({
      proxies: parseProxySettings(process.env),
      ...(options.quiet ? {} : { onWarning: warn }),
    });
  }

  async open(domain: RegistryDomain, path: RepositoryPath, role: StoreRole): Promise<RegistryStore> {
    return new RegistryStore(this.clients.of(await this.access(domain)), path, role);
  }

  async access(domain: RegistryDomain): Promise<RegistryAccess> {
    const { ca, realm, insecure, allowPrivate, authfile, gcSettle, gcDeletesUntagged } = this.#options;
    const credential = await dockerCredential(authfile ?? dockerConfigPath(process.env), domain);
    return {
      domain,
      provider: 'other',
      allowPrivate,
      allowedRealms: realm,
      gcSettleSeconds: seconds(gcSettle ?? '0'),
      gcDeletesUntagged: gcDeletesUntagged ?? false,
      ...(insecure.map(parseRegistryDomain).includes(domain) ? { insecure: true } : {}),
      ...(ca === undefined ? {} : { caBundle: givenFile(ca).toString('utf8') }),
      ...(credential === undefined ? {} : { credential }),
    };
  }
}

function warn(domain: string, text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? '\r\u001b[K' : ''}warning from ${domain}: ${text}\n`);
}

/** A reference as people write it; `docker://` in front is allowed, as other tools have it. */
export function readReference(text: string): Reference {
  return parseReference(text.replace(/^docker:\/\//, ''));
}

/** Bytes per second such as `500k`, `20M` or `1G`; undefined for undefined. Throws `InvalidRequest`. */
export function readBandwidth(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,12})([kMG]?)$/.exec(text);
  const factor = { '': 1, k: 1e3, M: 1e6, G: 1e9 }[match?.[2] ?? ''] ?? 1;
  const value = Number(match?.[1] ?? 0) * factor;
  if (value <= 0)
    throw new Failure('InvalidRequest', { detail: 'bandwidth is written such as 500k, 20M or 1G' });
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new Failure('InvalidRequest', { detail: 'gc-settle is in seconds' });
  return value;
}
