import type { Content, Image } from '../../infra/local/demo/image.ts';
import { content, descriptor } from './made-image.ts';

const oci = 'application/vnd.oci.image';
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** A manifest that cosign pushes beside an image, and the tag under which it does. */
export interface SignatureImage {
  readonly tag: string;
  readonly image: Image;
}

/** The tag that belongs to a digest, before `.sig`. */
const tagOf = (digest: string): string => digest.replace(':', '-');

/** A signature by tag: the payload as a layer, its signature as an annotation. */
export function signatureByTag(digest: string, payload: Buffer, signature: string): SignatureImage {
  const layer = content('application/vnd.dev.cosign.simplesigning.v1+json', payload);
  const annotations = { 'dev.cosignproject.cosign/signature': signature };
  const config = content(`${oci}.config.v1+json`, { architecture: '', os: '' });
  const index = manifest({ config: descriptor(config), layers: [{ ...descriptor(layer), annotations }] });
  return { tag: `${tagOf(digest)}.sig`, image: { index, manifests: [index], blobs: [config, layer] } };
}

/** A signature that refers to its image, listed under the fallback tag, for registries without the referrers API. */
export function signatureByReferrer(subject: Content, bundle: Buffer): SignatureImage {
  const layer = content(bundleType, bundle);
  const config = content('application/vnd.oci.empty.v1+json', {});
  const own = manifest({
    artifactType: bundleType,
    config: descriptor(config),
    layers: [descriptor(layer)],
    subject: descriptor(subject),
  });
  const mediaType = `${oci}.index.v1+json`;
  const manifests = [{ ...descriptor(own), artifactType: bundleType }];
  const index = content(mediaType, { schemaVersion: 2, mediaType, manifests });
  return { tag: tagOf(subject.digest), image: { index, manifests: [own, index], blobs: [config, layer] } };
}

function manifest(fields: object): Content {
  const mediaType = `${oci}.manifest.v1+json`;
  return content(mediaType, { schemaVersion: 2, mediaType, ...fields });
}
