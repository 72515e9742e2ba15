import { Client, Connection, ScheduleClient } from '@temporalio/client';
import type { TemporalAccess } from './access.ts';
import type { DataConverter } from '@temporalio/common';
import { sealOnly } from './codec.ts';

/** Where the Temporal frontend is. */
export interface TemporalAddress extends TemporalAccess {
  /** `host:port`. */
  readonly address: string;
  readonly namespace: string;
  /** Encrypts payloads where it has keys. Default: payloads stay readable. */
  readonly dataConverter?: DataConverter;
}

/**
 * A client that connects at its first call and again after every break: a process starts and stays up while Temporal is
 * away, and its calls fail with `EngineUnavailable` until then.
 */
export function connectTemporal(where: TemporalAddress): Client {
  const { address, apiKey, tls } = where;
  const connection = Connection.lazy({
    address,
    connectTimeout: 5000,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(tls === undefined ? {} : { tls }),
  });
  return new EngineClient({
    connection,
    namespace: where.namespace,
    ...(where.dataConverter === undefined ? {} : { dataConverter: where.dataConverter }),
  });
}

/** What is sealed in Schedules is never read: they are described, changed and deleted also where its key is gone. */
class EngineClient extends Client {
  override readonly schedule = new ScheduleClient({
    connection: this.connection,
    namespace: this.options.namespace,
    dataConverter: { payloadCodecs: [sealOnly(this.options.loadedDataConverter.payloadCodecs[0])] },
  });
}
