import { parseRegistryDomain } from '../names/registry-domain.ts';
import { originsOf } from '../registry/origin.ts';
import type { EdgeSite } from '../resources/edge-site.ts';
import type { RegistryAccessSpec, RegistrySecret } from '../resources/registry-secret.ts';
import type { Repository } from '../resources/repository.ts';
import { chooseSites } from './site-choice.ts';

/** A file below containerd's `config_path`, such as `/etc/containerd/certs.d`. */
export interface MirrorFile {
  /** `<registry>/hosts.toml`, or a certificate that it names. */
  readonly path: string;
  readonly content: string;
}

/** What the files are made of. */
export interface MirrorFacts {
  readonly site: EdgeSite;
  /** All of them: which is the default site depends on the others. */
  readonly sites: readonly EdgeSite[];
  readonly repositories: readonly Repository[];
  readonly secrets: readonly RegistrySecret[];
}

type Upstream = RegistryAccessSpec & { readonly domain: string };

/**
 * containerd's configuration for the nodes of a site, one folder for each registry of which a Repository goes there: the
 * site's registry is asked first, and the registry itself where that does not have an image or does not answer. The
 * format is that of containerd's docs/hosts.md. Credentials are none of it: kubelet has those. Throws `InvalidDomain`.
 */
export function mirrorFiles(facts: MirrorFacts): readonly MirrorFile[] {
  const upstreams = new Map<string, Upstream>();
  for (const { spec, metadata } of facts.repositories) {
    const { connected, offline } = chooseSites(spec, facts.sites);
    const goesThere = [...connected, ...offline].some(
      (site) => site.metadata.name === facts.site.metadata.name,
    );
    const namespace = spec.registryRef.namespace ?? metadata.namespace;
    const secret = facts.secrets.find(
      (each) => each.metadata.name === spec.registryRef.name && each.metadata.namespace === namespace,
    );
    if (goesThere && secret !== undefined) upstreams.set(secret.spec.domain, secret.spec);
  }
  return [...upstreams.values()]
    .sort((a, b) => (a.domain < b.domain ? -1 : 1))
    .flatMap((upstream) => filesOf(upstream, facts.site));
}

function filesOf(upstream: Upstream, { spec: { registry } }: EdgeSite): readonly MirrorFile[] {
  const server = originsOf({ ...upstream, domain: parseRegistryDomain(upstream.domain) });
  const mirror = originsOf({ ...registry, domain: parseRegistryDomain(registry.domain) });
  const prefix = (registry.pathPrefix ?? '').replace(/^\/+|\/+$/g, '');
  const at = prefix === '' ? mirror.registry : `${mirror.registry}/v2/${prefix}`;
  const hosts = [
    `server = ${quoted(server.registry)}`,
    ...(upstream.caBundle === undefined ? [] : ['ca = "server.crt"']),
    '',
    `[host.${quoted(at)}]`,
    '  capabilities = ["pull", "resolve"]',
    ...(registry.caBundle === undefined ? [] : ['  ca = "mirror.crt"']),
    ...(prefix === '' ? [] : ['  override_path = true']),
    '',
  ];
  const folder = server.domain;
  return [
    { path: `${folder}/hosts.toml`, content: hosts.join('\n') },
    ...certificate(`${folder}/server.crt`, upstream.caBundle),
    ...certificate(`${folder}/mirror.crt`, registry.caBundle),
  ];
}

/** A relative path in a hosts.toml is one below its own folder. */
function certificate(path: string, pem: string | undefined): readonly MirrorFile[] {
  return pem === undefined ? [] : [{ path, content: pem.endsWith('\n') ? pem : `${pem}\n` }];
}

/** A TOML basic string; origins and paths need no more escaping than JSON does. */
const quoted = (text: string): string => JSON.stringify(text);
