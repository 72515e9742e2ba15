import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtInProviders } from '../../../domain/resources/registry-secret.ts';
import { registerProvider } from '../adapters/providers.ts';
import { pluginContract, type PluginProvider, type RegistryPlugin } from './contract.ts';
import { pluginAdapter } from './plugin-adapter.ts';

/**
 * Loads the modules of `IMAGEFERRY_PLUGINS` (absolute paths with `,` between them) and registers their providers. Gives back
 * every name that `spec.provider` may have, the built-in ones first. Throws an error that names the file and what is wrong with
 * it: a process with half of its plug-ins must not start.
 */
export async function loadPlugins(paths: string | undefined): Promise<readonly string[]> {
  const names: string[] = [...builtInProviders];
  for (const path of (paths ?? '').split(',').filter((part) => part.trim() !== '')) {
    for (const provider of await providersOf(path.trim(), names)) {
      registerProvider(pluginAdapter(provider));
      names.push(provider.name);
    }
  }
  return names;
}

async function providersOf(path: string, taken: readonly string[]): Promise<readonly PluginProvider[]> {
  const refuse = (why: string): never => {
    throw new Error(`The plug-in ${path} cannot be used: ${why}`);
  };
  if (!isAbsolute(path)) refuse('IMAGEFERRY_PLUGINS takes absolute paths');
  const module: unknown = await import(pathToFileURL(path).href).catch((error: unknown) =>
    refuse(error instanceof Error ? error.message : String(error)),
  );
  const { imageferryPlugin: version, providers } = module as Partial<Record<keyof RegistryPlugin, unknown>>;
  if (version !== pluginContract) {
    refuse(
      `it is for contract ${String(version)}, this is contract ${pluginContract} (export imageferryPlugin)`,
    );
  }
  if (!Array.isArray(providers) || providers.length === 0) return refuse('it exports no providers');
  const seen = new Set(taken);
  return providers.map((provider: unknown) => {
    if (!isProvider(provider)) return refuse('each provider has a name (a-z, 0-9, -) and a function verify');
    if (seen.has(provider.name)) refuse(`there is a provider ${provider.name} already`);
    seen.add(provider.name);
    return provider;
  });
}

function isProvider(value: unknown): value is PluginProvider {
  if (typeof value !== 'object' || value === null) return false;
  const { name, verify } = value as Readonly<Record<string, unknown>>;
  return typeof name === 'string' && /^[a-z0-9-]{1,63}$/.test(name) && typeof verify === 'function';
}
