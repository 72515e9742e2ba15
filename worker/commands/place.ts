import { Failure } from '../../domain/failure.ts';
import type { Descriptor } from '../../domain/image/descriptor.ts';
import { parseLayoutReference, type LayoutReference } from '../../domain/image/image-layout.ts';
import type { Digest } from '../../domain/names/digest.ts';
import { printReference, type Reference } from '../../domain/names/reference.ts';
import { parseTag, type TagName } from '../../domain/names/tag.ts';
import type { ContentStore, StoredManifest } from '../../infra/copy/content.ts';
import { LayoutFolder } from '../../infra/layout/layout-folder.ts';
import { LayoutStore } from '../../infra/layout/layout-store.ts';
import type { StoreRole } from '../../infra/registry/registry-store.ts';
import { readReference, type Registries } from './registries.ts';

/** A store of images under tags. */
export interface TaggedStore extends ContentStore {
  /** All tags, complete; none for a place that is not there yet. */
  listTags(signal?: AbortSignal): Promise<readonly TagName[]>;
  readTag(tag: TagName, signal?: AbortSignal): Promise<StoredManifest | undefined>;
  /** Lists an image that has no tag, where the store would not find it otherwise. Default: found by its digest. */
  list?(root: Descriptor): Promise<void>;
}

/** Where a person says that an image is or should go: a registry's repository or an OCI layout directory. */
export interface Place {
  readonly tag?: TagName;
  readonly digest?: Digest;
  /** As the person wrote it, with another digest. */
  print(digest?: Digest, tag?: TagName): string;
  open(registries: Registries, role: StoreRole): Promise<OpenPlace>;
}

/** A place that can be read and written. */
export interface OpenPlace {
  readonly store: TaggedStore;
  /** What the place's tag, digest or name stands for. Throws `InvalidTag` where it names none and has several. */
  readonly resolve: (signal: AbortSignal) => Promise<Descriptor | undefined>;
  /** Leaves nothing behind that is ours. */
  readonly close: () => Promise<void>;
}

/** Reads `host/path[:tag][@digest]`, `docker://…` or `oci:DIR[:tag][@digest]`. Throws the code of what is malformed. */
export function readPlace(text: string): Place {
  return text.startsWith('oci:')
    ? layoutPlace(parseLayoutReference(text.slice(4)))
    : registryPlace(readReference(text));
}

function registryPlace(reference: Reference): Place {
  const { domain, path, tag, digest } = reference;
  const wanted = digest ?? tag;
  return {
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    print: (other, name) =>
      printReference({
        ...reference,
        ...(name === undefined ? {} : { tag: name }),
        ...(other === undefined ? {} : { digest: other }),
      }),
    async open(registries, role) {
      const store = await registries.open(domain, path, role);
      return {
        store,
        async resolve(signal) {
          if (wanted !== undefined) return store.resolve(wanted, signal);
          throw new Failure('InvalidRequest', {
            subject: store.label,
            detail: 'name a tag or a digest, such as :1.0 (copy takes --all-tags, too)',
          });
        },
        close: () => Promise.resolve(),
      };
    },
  };
}

function layoutPlace({ folder, name, digest }: LayoutReference): Place {
  const tag = tagOf(name);
  return {
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    print: (other, as) => {
      const shown = as ?? name;
      const exact = other ?? digest;
      return `oci:${folder}${shown === undefined ? '' : `:${shown}`}${exact === undefined ? '' : `@${exact}`}`;
    },
    async open(_registries, role) {
      if (role === 'destination' && name !== undefined && tag === undefined)
        throw new Failure('InvalidTag', { subject: name });
      const layout = new LayoutFolder(folder);
      const store = new LayoutStore(layout);
      return {
        store,
        resolve: () => (digest === undefined ? store.find(name) : store.resolve(digest)),
        close: () => layout.tidy(),
      };
    },
  };
}

function tagOf(name: string | undefined): TagName | undefined {
  try {
    return name === undefined ? undefined : parseTag(name);
  } catch {
    return undefined;
  }
}
