import { EventsV1Api, V1MicroTime, type KubeConfig } from '@kubernetes/client-node';
import { createHash } from 'node:crypto';
import { apiGroup, apiVersion } from '../../domain/resources/meta.ts';
import { clusterCall } from './cluster-call.ts';
import type { EventRecorder } from './cluster.ts';

/** Reason of every Event: what users filter by. */
export const eventReason = 'ImageManagement';
/** The API's limit for an Event's note, in characters. */
const maxNote = 1000;
/** Namespace of Events about cluster-scoped objects, as Kubernetes itself does it. */
const clusterEventsNamespace = 'default';

/**
 * Records Events (events.k8s.io/v1) about our objects. The same thing said twice within an hour is one Event: its name
 * is made of what it says, so that a failing sync does not fill etcd.
 */
export function createEventRecorder(
  config: KubeConfig,
  instance: string,
  now: () => Date = () => new Date(),
): EventRecorder {
  const events = config.makeApiClient(EventsV1Api);
  return {
    record: async (about, event) => {
      const namespace = about.ref.namespace ?? clusterEventsNamespace;
      const time = now();
      const note = event.message.slice(0, maxNote);
      const hour = Math.floor(time.getTime() / 3_600_000);
      const said = createHash('sha256')
        .update([about.uid, event.type, event.action, note, hour].join('\n'))
        .digest('hex');
      const body = {
        metadata: { name: `${about.ref.name.slice(0, 200)}.${said.slice(0, 16)}`, namespace },
        eventTime: new V1MicroTime(time),
        reportingController: `${apiGroup}/image-controller`,
        reportingInstance: instance.slice(0, 128),
        action: event.action,
        reason: eventReason,
        type: event.type,
        note,
        regarding: {
          apiVersion: `${apiGroup}/${apiVersion}`,
          kind: about.kind,
          name: about.ref.name,
          uid: about.uid,
          ...(about.ref.namespace === undefined ? {} : { namespace }),
        },
      };
      await clusterCall(`event about ${about.kind} ${about.ref.name}`, () => create(events, namespace, body));
    },
  };
}

async function create(
  events: EventsV1Api,
  namespace: string,
  body: Parameters<EventsV1Api['createNamespacedEvent']>[0]['body'],
): Promise<void> {
  try {
    await events.createNamespacedEvent({ namespace, body });
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    if (code !== 409) throw error;
  }
}
