import { matchesFilter, type AuditFilter } from '../../domain/audit/filter.ts';
import { foldActions } from '../../domain/audit/fold-actions.ts';
import type { AuditRecord } from '../../domain/audit/record.ts';
import { parseLimit, parsePage } from '../../domain/api/list-query.ts';
import { cutPage } from '../../domain/api/list-view.ts';
import { Failure } from '../../domain/failure.ts';
import type { AuditReader } from '../../infra/audit/audit-log.ts';
import { route, type Answer, type Route } from '../route.ts';
import { auditListSchema, auditQuerySchema } from '../schema/audit.ts';
import { groupVersion } from '../schema/meta.ts';
import { noParameters } from '../schema/parameters.ts';
import type { RouteTools } from './tools.ts';

const dayMs = 86_400_000;
/** Most records that a page is cut from; for more there is the export. */
const maximumFound = 10_000;

/** The audit log: a page of it, newest first, or all that match as one JSON object a line. */
export const auditRoute = (tools: RouteTools): Route =>
  route(
    {
      kind: 'AuditRecord',
      tag: 'Audit',
      method: 'get',
      path: '/audit',
      operationId: 'listAuditRecords',
      summary: 'Who did what, when, from where, and how it ended',
      access: { verb: 'list', resource: 'auditrecords' },
      params: noParameters,
      query: auditQuerySchema,
      answers: {
        200: {
          description: 'One page, or with format=ndjson one record a line',
          schema: auditListSchema,
          contentTypes: ['application/json', 'application/x-ndjson'],
        },
      },
    },
    async ({ query, now }) => {
      const { page, limit, format, fold, ...wanted } = query;
      const filter = { ...wanted, since: wanted.since ?? new Date(now.getTime() - dayMs).toISOString() };
      if (format === 'ndjson') return exported(tools.audit.reader, filter);
      const all = await collect(tools.audit.reader, filter);
      const found = fold === 'true' ? [...foldActions(all)] : all;
      found.sort((a, b) => Date.parse(b.time) - Date.parse(a.time) || b.seq - a.seq);
      const { items, totalItems } = cutPage(found, { page: parsePage(page), limit: parseLimit(limit) });
      return { status: 200, body: { apiVersion: groupVersion, kind: 'AuditRecordList', items, totalItems } };
    },
  );

async function collect(reader: AuditReader, filter: AuditFilter): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  for await (const record of matching(reader, filter)) {
    found.push(record);
    if (found.length > maximumFound) {
      throw new Failure('InvalidRequest', {
        side: 'caller',
        detail: `more than ${maximumFound} records match: narrow since and until, or export with format=ndjson`,
      });
    }
  }
  return found;
}

async function* matching(reader: AuditReader, filter: AuditFilter): AsyncGenerator<AuditRecord> {
  for (const stream of await reader.streams()) {
    if (filter.stream !== undefined && filter.stream !== stream) continue;
    for await (const record of reader.records(stream, Date.parse(filter.since ?? ''))) {
      if (matchesFilter(record, filter)) yield record;
    }
  }
}

/** Sent as it is read, at the reader's pace. */
function exported(reader: AuditReader, filter: AuditFilter): Answer {
  const encoder = new TextEncoder();
  const records = matching(reader, filter);
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const next = await records.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(`${JSON.stringify(next.value)}\n`));
    },
    cancel: async () => void (await records.return(undefined)),
  });
  return { status: 200, stream: { type: 'application/x-ndjson', source } };
}
