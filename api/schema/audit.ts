import { z } from '@hono/zod-openapi';
import { auditStages, type AuditRecord } from '../../domain/audit/record.ts';
import { listSchema } from './meta.ts';
import { listQuerySchema } from './parameters.ts';
import { optional } from './optional.ts';

/** One record of the audit log. */
export const auditRecordSchema = z
  .looseObject({
    stream: z.string(),
    seq: z.int(),
    id: z.string().openapi({ description: 'The same for an intent and its outcome' }),
    stage: z.enum(auditStages),
    time: z.string(),
    verb: z.string(),
    actor: z.object({ name: z.string(), uid: z.string() }),
    source: z.string(),
    object: z.looseObject({ resource: z.string() }),
    prev: z.string(),
    hash: z.string(),
    earlier: optional(z.array(z.looseObject({ stage: z.enum(auditStages), time: z.string() }))).openapi({
      description: 'With fold=true: what else was written of the same action, oldest first',
    }),
  })
  .openapi('AuditRecord') satisfies z.ZodType<Pick<AuditRecord, 'seq' | 'hash'>>;

export const auditListSchema = listSchema('AuditRecord', auditRecordSchema);

const time = optional(z.iso.datetime({ offset: true }));
const word = optional(z.string().max(253));

/** What part of the log is wanted. */
export const auditQuerySchema = listQuerySchema.pick({ page: true, limit: true }).extend({
  since: time.openapi({ description: 'RFC 3339, inclusive. Default: a day ago' }),
  until: time.openapi({ description: 'RFC 3339, exclusive. Default: now' }),
  user: word,
  verb: word,
  resource: word,
  namespace: word,
  name: word,
  stream: word.openapi({ description: 'Whose records: `api`, `worker`, or as AUDIT_STREAM names a process' }),
  id: word.openapi({ description: 'Of a call: its intent and its outcome' }),
  workflow: optional(z.string().max(600)).openapi({
    description: 'Id of a workflow or of one of its runs: the call that asked for it and what it did',
  }),
  stage: optional(z.enum(auditStages)),
  fold: optional(z.enum(['true', 'false'])).openapi({
    description:
      'One entry an action: its outcome, with its intent in `earlier`. Not for ndjson. Default: false',
  }),
  format: optional(z.enum(['json', 'ndjson'])).openapi({
    description: 'ndjson exports all that match, in order of the streams',
  }),
});
