/** Key of the object that holds a stream's records from `seq` on. Padded, so that keys sort as numbers do. */
export const recordsKey = (stream: string, seq: number): string =>
  `audit/records/${stream}/${String(seq).padStart(12, '0')}.ndjson`;

/** Prefix of a stream's records; without a stream, of all. */
export const recordsPrefix = (stream = ''): string =>
  stream === '' ? 'audit/records/' : `audit/records/${stream}/`;

/** First sequence in an object, by its key. */
export const sequenceOf = (key: string): number =>
  Number(/(\d{12})\.(?:nd)?json$/.exec(key)?.[1] ?? Number.NaN);

/** Key of a checkpoint. */
export const checkpointKey = (stream: string, seq: number): string =>
  `audit/checkpoints/${stream}/${String(seq).padStart(12, '0')}.json`;

/** Prefix of a stream's checkpoints; without a stream, of all. */
export const checkpointsPrefix = (stream = ''): string =>
  stream === '' ? 'audit/checkpoints/' : `audit/checkpoints/${stream}/`;

/** Key of the hint where a stream's end was seen last; only saves time. */
export const headKey = (stream: string): string => `audit/heads/${stream}.json`;

/** Key of the hint up to where all intents of a stream are closed; only saves time. */
export const settledKey = (stream: string): string => `audit/settled/${stream}.json`;

/** Key of the signed statement that a stream now starts after `seq`, as older records were given up. */
export const startKey = (stream: string, seq: number): string =>
  `audit/starts/${stream}/${String(seq).padStart(12, '0')}.json`;

/** Prefix of a stream's starts. */
export const startsPrefix = (stream: string): string => `audit/starts/${stream}/`;
