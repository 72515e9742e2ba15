import { Gauge, type Registry } from 'prom-client';
import { storageDocument } from '../domain/lifecycle/ids.ts';
import type { StorageLine, StorageReport } from '../domain/lifecycle/storage.ts';
import type { EdgeSite } from '../domain/resources/edge-site.ts';
import type { ResourceClients } from '../infra/kubernetes/cluster.ts';
import type { Documents } from '../infra/kubernetes/documents.ts';

/** Milliseconds for which what was read is good enough: it is measured every few hours only. */
const freshMs = 60_000;

interface Reading {
  readonly lines: readonly StorageLine[];
  readonly sites: readonly EdgeSite[];
}

/** Registers the storage gauges of the contract (section 7); `registry_name` is the site's name. */
export function registerStorageGauges(
  registry: Registry,
  deps: { readonly documents: Documents; readonly resources: ResourceClients },
): void {
  const read = rarely(async (): Promise<Reading> => {
    const [text, sites] = await Promise.all([
      deps.documents.read(storageDocument),
      deps.resources.resource('edgesites').list(),
    ]);
    const report = text === undefined ? undefined : (JSON.parse(text) as StorageReport);
    return { lines: report?.lines ?? [], sites };
  });
  const bytes = new Gauge({
    name: 'image_storage_bytes',
    help: 'Bytes of an image at a site, each blob counted once',
    labelNames: ['registry_name', 'image'],
    registers: [registry],
    async collect() {
      const { lines } = await read();
      bytes.reset();
      for (const { site, path, tag, totalBytes } of lines)
        if (path !== undefined && tag === undefined)
          bytes.set({ registry_name: site, image: path }, totalBytes);
    },
  });
  const percent = new Gauge({
    name: 'image_storage_usage_percent',
    help: "Percent of a site's capacity that images take, where its EdgeSite names a capacity",
    labelNames: ['registry_name'],
    registers: [registry],
    async collect() {
      const { lines, sites } = await read();
      percent.reset();
      for (const { metadata, spec } of sites) {
        const used = lines.find(({ site, path }) => site === metadata.name && path === undefined);
        if (spec.capacity !== undefined && used !== undefined)
          percent.set({ registry_name: metadata.name }, (100 * used.totalBytes) / spec.capacity);
      }
    },
  });
}

/** Asks again only after a while; where asking fails, the last answer stands and a scrape shows the rest. */
function rarely(ask: () => Promise<Reading>): () => Promise<Reading> {
  let last: Reading = { lines: [], sites: [] };
  let until = 0;
  return async () => {
    if (performance.now() < until) return last;
    until = performance.now() + freshMs;
    try {
      last = await ask();
    } catch {
      return last;
    }
    return last;
  };
}
