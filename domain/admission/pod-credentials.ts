import { parseRegistryDomain, registryHost } from '../names/registry-domain.ts';
import { fullName } from '../usage/pod-usage.ts';
import type { PatchStep } from './review.ts';

/** The part of a Pod that decides which credentials its images need. */
export interface PodPull {
  readonly images: readonly string[];
  /** Names in `spec.imagePullSecrets`; undefined where the field is missing. */
  readonly pullSecrets?: readonly string[];
}

/** A registry for which the Pod's own namespace has a credential. */
export interface PullCredential {
  readonly domain: string;
  readonly secretName: string;
}

/**
 * The patch that gives a Pod the pull credentials of its images' registries. Only credentials of the Pod's own namespace
 * may be handed in: an imagePullSecret of another namespace does not exist for Kubernetes. What the Pod names itself
 * stays first and is never removed; the same Pod twice gives the same patch (webhooks may be called again).
 */
export function pullSecretPatch(pod: PodPull, credentials: readonly PullCredential[]): PatchStep[] {
  const hosts = new Set(pod.images.map(imageHost).filter((host) => host !== undefined));
  const present = new Set(pod.pullSecrets);
  const missing = credentials
    .filter(({ domain, secretName }) => hosts.has(hostOf(domain) ?? '') && !present.has(secretName))
    .map(({ secretName }) => ({ name: secretName }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  if (missing.length === 0) return [];
  if (pod.pullSecrets === undefined) return [{ op: 'add', path: '/spec/imagePullSecrets', value: missing }];
  return missing.map((value) => ({ op: 'add', path: '/spec/imagePullSecrets/-', value }));
}

/** The registry host of an image as a container runtime reads it; undefined for a text that is no image. */
function imageHost(image: string): string | undefined {
  const name = fullName(image);
  return hostOf(name.slice(0, name.indexOf('/')));
}

function hostOf(domain: string): string | undefined {
  try {
    return registryHost(parseRegistryDomain(domain));
  } catch {
    return undefined;
  }
}
