import type { Digest } from '../names/digest.ts';

/** The platform of one child of an index (OCI image spec, image-index.md). */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly osVersion?: string;
}

/** A parsed content descriptor (OCI image spec, descriptor.md). `size` is in bytes and never negative. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Addresses of a layer stored elsewhere; such a layer is refused. */
  readonly urls?: readonly string[];
  /** The content itself, of exactly `size` bytes; to be hashed before use (descriptor.md, "Embedded Content"). */
  readonly data?: Uint8Array;
}
