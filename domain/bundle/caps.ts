/** Most that one bundle may hold. All of it is checked before anything is read or reserved. */
export const bundleCaps = {
  images: 10_000,
  /** Blobs and manifests, carried or assumed; also bounds the files of a directory. */
  blobs: 30_000,
  roots: 64,
  /** 16 TiB. */
  totalBytes: 2 ** 44,
  /** Bytes of `index.json`, of `oci-layout` and of one root. */
  smallFileBytes: 4 * 1024 * 1024,
} as const;
