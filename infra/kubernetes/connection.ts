import { KubeConfig, type RequestContext } from '@kubernetes/client-node';

/** The cluster of `KUBECONFIG` (or the default file), or the one this process runs in. */
export function connectCluster(kubeconfig: string | undefined): KubeConfig {
  const config = new PooledKubeConfig();
  if (kubeconfig !== undefined && kubeconfig !== '') config.loadFromFile(kubeconfig);
  else config.loadFromDefault();
  return config;
}

type Dispatcher = Parameters<RequestContext['setDispatcher']>[0];

/**
 * A configuration whose calls share their connections. The library makes a new pool for each call (seen with 2.0.1), and
 * with it a new TLS handshake: that took most of a busy worker's processor time.
 */
class PooledKubeConfig extends KubeConfig {
  /** What the pool below was made for. */
  #made = '';
  #wanted = '';
  #pool: Dispatcher | undefined;

  override createDispatcherOptions(
    ...args: Parameters<KubeConfig['createDispatcherOptions']>
  ): ReturnType<KubeConfig['createDispatcherOptions']> {
    const options = super.createDispatcherOptions(...args);
    this.#wanted = JSON.stringify(options);
    return options;
  }

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    const set = context.setDispatcher.bind(context);
    context.setDispatcher = (made) => set(this.#shared(made));
    await super.applySecurityAuthentication(context);
  }

  /** The pool that is there, unless the certificates were renewed; called right after the options were made. */
  #shared(made: Dispatcher): Dispatcher {
    if (this.#pool !== undefined && this.#made === this.#wanted) return this.#pool;
    this.#made = this.#wanted;
    this.#pool = made;
    return made;
  }
}
