/** Key of the object that holds a stream's records from `seq` on. Padded, so that keys sort as numbers do. */
export const recordsKey = (stream: string, seq: number): string =>
  `audit/records/${stream}/${String(seq).padStart(12, '0')}.ndjson`;

/** Prefix of a stream's records; without a stream, of all. */
export const recordsPrefix = (stream = ''): string =>
  stream === '' ? 'audit/records/' : `audit/records/${stream}/`;

/** First sequence in an object, by its key. */
export const sequenceOf = (key: string): number => Number(/(\d{12})\.ndjson$/.exec(key)?.[1] ?? Number.NaN);

/** Key of a checkpoint. */
export const checkpointKey = (stream: string, seq: number): string =>
  `audit/checkpoints/${stream}/${String(seq).padStart(12, '0')}.json`;

/** Prefix of a stream's checkpoints. */
export const checkpointsPrefix = (stream: string): string => `audit/checkpoints/${stream}/`;

/** Key of the hint where a stream's end was seen last; only saves time. */
export const headKey = (stream: string): string => `audit/heads/${stream}.json`;
