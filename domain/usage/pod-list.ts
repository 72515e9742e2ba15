import { Failure } from '../failure.ts';
import { isJsonArray, isJsonObject, parseStrictJson, type JsonValue } from '../image/strict-json.ts';
import type { PodImages } from './pod-usage.ts';

/** Bytes of a list of Pods; one of ten thousand Pods has about a hundred million. */
export const maxPodListBytes = 128 * 1024 * 1024;

/**
 * Reads what `kubectl get pods --all-namespaces -o json` prints. Throws `UsageUnknown` for anything but a whole list of
 * Pods, and for one without any: what looks like no use at all is more likely the wrong cluster.
 */
export function parsePodList(bytes: Uint8Array): readonly PodImages[] {
  const list = parseStrictJson(bytes, { code: 'UsageUnknown', subject: 'Pods', maxBytes: maxPodListBytes });
  const kind = textAt(list, 'kind');
  const isTyped = kind === 'List';
  if (!isTyped && kind !== 'PodList') refuse('it is no list of Pods');
  if (textAt(fieldOf(list, 'metadata'), 'continue') !== '') refuse('it is only a part of the list');
  const pods = entriesOf(list, 'items');
  if (isTyped && pods.some((pod) => textAt(pod, 'kind') !== 'Pod')) refuse('it lists other things than Pods');
  return pods.length > 0 ? pods.map(podImages) : refuse('it lists no Pod');
}

const kinds = ['containers', 'initContainers', 'ephemeralContainers'] as const;
const statusKinds = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

function podImages(pod: JsonValue): PodImages {
  const [metadata, spec, status] = ['metadata', 'spec', 'status'].map((name) => fieldOf(pod, name));
  const containers = kinds.flatMap((name) => entriesOf(spec, name));
  if (containers.length === 0) refuse('a Pod has no container');
  const volumes = entriesOf(spec, 'volumes').map((volume) => fieldOf(volume, 'image'));
  return {
    namespace: textAt(metadata, 'namespace'),
    name: textAt(metadata, 'name'),
    images: [
      ...containers.map((each) => textAt(each, 'image')),
      ...volumes.map((each) => textAt(each, 'reference')),
    ],
    statuses: statusKinds
      .flatMap((name) => entriesOf(status, name))
      .map((each) => ({ image: textAt(each, 'image'), imageID: textAt(each, 'imageID') })),
  };
}

const fieldOf = (value: JsonValue | undefined, name: string): JsonValue | undefined =>
  isJsonObject(value) ? value[name] : undefined;

function entriesOf(value: JsonValue | undefined, name: string): readonly JsonValue[] {
  const entries = fieldOf(value, name) ?? [];
  return isJsonArray(entries) ? entries : refuse(`${name} is not a list`);
}

function textAt(value: JsonValue | undefined, name: string): string {
  const text = fieldOf(value, name) ?? '';
  return typeof text === 'string' ? text : refuse(`${name} is not a text`);
}

function refuse(detail: string): never {
  throw new Failure('UsageUnknown', { side: 'caller', subject: 'Pods', detail });
}
