/** Media types of manifests that can be copied (OCI image spec, media-types.md; distribution, schema 2). */
export const manifestMediaTypes = {
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
} as const;

export type ManifestMediaType = (typeof manifestMediaTypes)[keyof typeof manifestMediaTypes];

/** The `Accept` of every manifest request. Always all four: a registry may turn an index into one platform for less. */
export const manifestAccept: string = Object.values(manifestMediaTypes).join(', ');

/** Types that were manifests once and that nobody should copy today: Docker schema 1 and the OCI artifact manifest. */
const retired: ReadonlySet<string> = new Set([
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.oci.artifact.manifest.v1+json',
]);

/** True for a manifest type that can be copied. */
export function isManifestMediaType(text: string): text is ManifestMediaType {
  return Object.values<string>(manifestMediaTypes).includes(text);
}

/** True for an index of several manifests. */
export function isIndexMediaType(text: string): boolean {
  return text === manifestMediaTypes.ociIndex || text === manifestMediaTypes.dockerList;
}

/** True for a manifest type of the past, which is refused. */
export function isRetiredMediaType(text: string): boolean {
  return retired.has(text);
}

/** A `Content-Type` without its parameters, in lower case. */
export function bareMediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}
