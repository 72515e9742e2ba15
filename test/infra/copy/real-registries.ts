import { parseRegistryDomain } from '../../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { Descriptor } from '../../../domain/image/descriptor.ts';
import type { CopyEngine, RegistryAccess, RepositoryEndpoint } from '../../../infra/copy/engine.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';
import { createCopyEngine } from '../../../infra/registry/registry-copy-engine.ts';
import { RegistryStore } from '../../../infra/registry/registry-store.ts';

/** An engine with its connections, and short ways to name what it works on. */
export class TestEngine {
  readonly clients = new RegistryClients({ breakAfter: 1000 });
  readonly engine: CopyEngine = createCopyEngine(this.clients);

  endpoint(domain: string, path: string, more: Partial<RegistryAccess> = {}): RepositoryEndpoint {
    return {
      registry: { domain: parseRegistryDomain(domain), provider: 'other', ...more },
      path: parseRepositoryPath(path),
    };
  }

  store(endpoint: RepositoryEndpoint): RegistryStore {
    return new RegistryStore(this.clients.of(endpoint.registry), endpoint.path, 'destination');
  }

  async root(endpoint: RepositoryEndpoint, tag = 'v1'): Promise<Descriptor> {
    const found = await this.engine.resolve(endpoint, parseTag(tag));
    if (found === undefined) throw new Error(`no ${tag} in ${endpoint.path}`);
    return found;
  }

  close(): Promise<void> {
    return this.clients.close();
  }
}
