import { randomUUID } from 'node:crypto';
import { httpStatus } from '../../domain/api/status.ts';
import type { AuditActor, AuditEntry } from '../../domain/audit/record.ts';
import { asFailure } from '../../domain/failure.ts';
import type { RegistrySecret } from '../../domain/resources/registry-secret.ts';
import type { CredentialStore, EventRecorder } from '../kubernetes/cluster.ts';
import type { AuditOutbox } from './audit-log.ts';

/** Who moves credentials, and where that is told. */
export interface CredentialAudit {
  readonly outbox: AuditOutbox;
  readonly events: EventRecorder;
  /** The process's own identity. */
  readonly actor: AuditActor;
  /** The machine that it runs on. */
  readonly source: string;
  readonly now: () => Date;
}

/** A credential store whose moves are in the audit log, before and after; never with what was moved. */
export function auditedCredentials(store: CredentialStore, audit: CredentialAudit): CredentialStore {
  return {
    ...store,
    store: async (owner, credential) => {
      await around(audit, 'store-credential', owner, () => store.store(owner, credential));
      const { name, namespace = '', uid = '' } = owner.metadata;
      const message = `${audit.actor.name}: the credential of ${name} was moved into its Secret`;
      await audit.events
        .record(
          { kind: 'RegistrySecret', ref: { namespace, name }, uid },
          { type: 'Normal', action: 'StoreCredential', message },
        )
        // The credential is where it belongs; an Event less changes nothing about that.
        .catch(() => undefined);
    },
    remove: async (owner) => {
      // Most often the Secret went with its object, and there is nothing to do.
      if ((await store.owned(owner)) === undefined) return;
      await around(audit, 'delete-credential', owner, () => store.remove(owner));
    },
    removeStray: (stray) =>
      around(audit, 'delete-credential', { metadata: stray.ref }, () => store.removeStray(stray)),
  };
}

async function around(
  { outbox, actor, source, now }: CredentialAudit,
  verb: string,
  { metadata }: Pick<RegistrySecret, 'metadata'>,
  work: () => Promise<void>,
): Promise<void> {
  const { name, namespace = '' } = metadata;
  const id = randomUUID();
  const entry = (rest: Pick<AuditEntry, 'stage' | 'outcome'>): AuditEntry => ({
    id,
    verb,
    actor,
    source,
    time: now().toISOString(),
    object: { resource: 'registrysecrets', subresource: 'credential', namespace, name },
    ...rest,
  });
  await outbox.keep(entry({ stage: 'Requested' }));
  try {
    await work();
  } catch (error) {
    const failure = asFailure(error);
    await outbox.keep(
      entry({ stage: 'Failed', outcome: { code: httpStatus(failure), reason: failure.code } }),
    );
    throw error;
  }
  await outbox.keep(entry({ stage: 'Completed', outcome: { code: 200 } }));
}
