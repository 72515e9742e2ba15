/** The part of a Pod that says which images it uses. */
export interface PodImages {
  readonly namespace: string;
  readonly name: string;
  /** `spec.*containers[].image`, init and ephemeral containers included. */
  readonly images: readonly string[];
  /** `status.*containerStatuses[].image` and `.imageID`. */
  readonly statuses: readonly { readonly image: string; readonly imageID: string }[];
}

/** Images in use: digests, and `host/path:tag` names. */
export interface ImagesInUse {
  readonly digests: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

/** All that Pods write about their images, each text once. */
export function imageTexts(pods: readonly PodImages[]): readonly string[] {
  const texts = pods.flatMap((pod) => [
    ...pod.images,
    ...pod.statuses.flatMap(({ image, imageID }) => [image, imageID]),
  ]);
  return [...new Set(texts)].filter((text) => text !== '');
}

/**
 * What Pods use, by digest and by name. Finished Pods count: their images are still on the node, and a Job runs again.
 * A name counts as its Pod writes it and as its runtime reports it, whatever was rewritten on the way.
 */
export function imagesInUse(texts: readonly string[]): ImagesInUse {
  const digests = new Set<string>();
  const names = new Set<string>();
  for (const text of texts) {
    const used = readImage(text);
    if (used.digest !== undefined) digests.add(used.digest);
    if (used.name !== undefined) names.add(used.name);
  }
  return { digests, names };
}

/**
 * Reads an image as a container runtime takes it: Docker Hub's short forms are written out, a missing tag is `latest`,
 * `docker-pullable://` and the like are dropped. A text that is no image at all is taken as a name as it stands, which
 * protects nothing by mistake and loses nothing.
 */
export function readImage(text: string): { readonly name?: string; readonly digest?: string } {
  const bare = text.replace(/^[a-z-]+:\/\//, '');
  if (bare === '') return {};
  const digest = /(?:^|@)(sha256:[0-9a-f]{64})$/.exec(bare)?.[1];
  const named = bare.replace(/(?:^|@)sha256:[0-9a-f]{64}$/, '');
  if (named === '') return digest === undefined ? {} : { digest };
  const tagged = /:[^/:]+$/.test(named);
  if (digest !== undefined && !tagged) return { digest };
  return {
    name: fullName(tagged ? named : `${named}:latest`),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** `nginx:1` → `docker.io/library/nginx:1`, by the rule of container runtimes: a first part with `.` or `:` is a host. */
export function fullName(image: string): string {
  const slash = image.indexOf('/');
  const first = slash < 0 ? '' : image.slice(0, slash);
  const hosted = first.includes('.') || first.includes(':') || first === 'localhost';
  if (!hosted) return `docker.io/${slash < 0 ? 'library/' : ''}${image}`;
  const hub = /^(?:index\.docker\.io|registry-1\.docker\.io|docker\.io)\/(.*)$/.exec(image)?.[1];
  if (hub === undefined) return image;
  return `docker.io/${hub.includes('/') ? '' : 'library/'}${hub}`;
}
