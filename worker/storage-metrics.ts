import { Gauge, type Registry } from 'prom-client';
import { storageDocument } from '../domain/lifecycle/ids.ts';
import type { StorageLine, StorageReport } from '../domain/lifecycle/storage.ts';
import type { ImageCleanupPolicy } from '../domain/resources/image-cleanup-policy.ts';
import type { EdgeSite } from '../domain/resources/edge-site.ts';
import type { ResourceClients } from '../infra/kubernetes/cluster.ts';
import type { Documents } from '../infra/kubernetes/documents.ts';

/** Milliseconds for which what was read is good enough: it is measured every few hours only. */
const freshMs = 60_000;

interface Reading {
  readonly lines: readonly StorageLine[];
  readonly sites: readonly EdgeSite[];
  readonly policies: readonly ImageCleanupPolicy[];
}

/** Registers the storage gauges of the contract (section 7); `registry_name` is the site's name. */
export function registerStorageGauges(
  registry: Registry,
  deps: { readonly documents: Documents; readonly resources: ResourceClients },
): void {
  const read = rarely(async (): Promise<Reading> => {
    const [text, sites, policies] = await Promise.all([
      deps.documents.read(storageDocument),
      deps.resources.resource('edgesites').list(),
      deps.resources.resource('imagecleanuppolicies').list(),
    ]);
    const report = text === undefined ? undefined : (JSON.parse(text) as StorageReport);
    return { lines: report?.lines ?? [], sites, policies };
  });
  const gauge = (
    name: string,
    help: string,
    labelNames: readonly string[],
    samples: (reading: Reading) => Samples,
  ): void => {
    const metric = new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const reading = await read();
        metric.reset();
        for (const [labels, value] of samples(reading)) metric.set(labels, value);
      },
    });
  };
  const ofImages = (value: (line: StorageLine) => number) =>
    function* images({ lines }: Reading): Samples {
      for (const line of lines)
        if (line.path !== undefined && line.tag === undefined)
          yield [{ registry_name: line.site, image: line.path }, value(line)];
    };
  const perImage = ['registry_name', 'image'];
  const bytes = ofImages(({ totalBytes }) => totalBytes);
  gauge('image_storage_bytes', 'Bytes of an image at a site, each blob counted once', perImage, bytes);
  const unique = ofImages(({ uniqueBytes }) => uniqueBytes);
  const freeable = 'Bytes of an image at a site that nothing else there uses';
  gauge('image_storage_unique_bytes', freeable, perImage, unique);
  const whole = 'Bytes of all images in the registry of a site, each blob counted once';
  gauge('image_storage_registry_bytes', whole, ['registry_name', 'registry'], wholeRegistries);
  const share = "Percent of a site's capacity that images take, where its EdgeSite names a capacity";
  gauge('image_storage_usage_percent', share, ['registry_name'], shareOfCapacity);
  const freed = 'Bytes that the last cleanup of a policy lets the registries free';
  gauge('image_cleanup_freed_bytes', freed, ['namespace', 'policy'], freedByPolicies);
}

type Samples = Iterable<readonly [Record<string, string>, number]>;

function* wholeRegistries({ lines }: Reading): Samples {
  for (const { site, registry, path, totalBytes } of lines)
    if (path === undefined) yield [{ registry_name: site, registry }, totalBytes];
}

function* shareOfCapacity({ lines, sites }: Reading): Samples {
  for (const { metadata, spec } of sites) {
    const used = lines.find(({ site, path }) => site === metadata.name && path === undefined);
    if (spec.capacity !== undefined && used !== undefined)
      yield [{ registry_name: metadata.name }, (100 * used.totalBytes) / spec.capacity];
  }
}

function* freedByPolicies({ policies }: Reading): Samples {
  for (const { metadata, status } of policies)
    if (status?.freedBytes !== undefined)
      yield [{ namespace: metadata.namespace ?? '', policy: metadata.name }, status.freedBytes];
}

/**
 * Asks again only after a while; where asking fails, the last answer stands and a scrape shows the rest. All gauges of one
 * scrape wait for the same answer.
 */
function rarely(ask: () => Promise<Reading>): () => Promise<Reading> {
  let last: Promise<Reading> = Promise.resolve({ lines: [], sites: [], policies: [] });
  let until = 0;
  return () => {
    if (performance.now() < until) return last;
    until = performance.now() + freshMs;
    const before = last;
    last = ask().catch(() => before);
    return last;
  };
}
