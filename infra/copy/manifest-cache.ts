import type { ManifestSource, StoredManifest } from './content.ts';

const maxBytes = 8 * 1024 * 1024;

/** Manifests read lately, by digest: the same image under many tags is read once. Bounded by bytes, oldest out first. */
export class ManifestCache {
  readonly #held = new Map<string, StoredManifest>();
  #bytes = 0;

  /** The source with this cache in front; `scope` keeps apart who may read what. */
  before(source: ManifestSource, scope: string): ManifestSource {
    return {
      resolve: (reference, signal) => source.resolve(reference, signal),
      readManifest: async (digest, signal) => {
        const key = `${scope} ${digest}`;
        const held = this.#held.get(key);
        if (held !== undefined) return held;
        const read = await source.readManifest(digest, signal);
        this.hold(scope, read);
        return read;
      },
    };
  }

  /** Takes in a manifest that was read in another way. */
  hold(scope: string, manifest: StoredManifest): void {
    const key = `${scope} ${manifest.descriptor.digest}`;
    if (this.#held.has(key)) return;
    this.#held.set(key, manifest);
    this.#bytes += manifest.bytes.byteLength;
    for (const [oldest, { bytes }] of this.#held) {
      if (this.#bytes <= maxBytes) return;
      this.#held.delete(oldest);
      this.#bytes -= bytes.byteLength;
    }
  }
}
