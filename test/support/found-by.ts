import type { ObjectRef } from '../../domain/resources/meta.ts';
import { searchAttributes, syncWorkflowId } from '../../domain/sync/ids.ts';
import { workflowLab } from './workflow-lab.ts';

/** The search attributes with which a Repository's newest sync was started, by our short names. */
export async function foundBy(ref: ObjectRef): Promise<Readonly<Record<string, unknown>>> {
  const { env } = await workflowLab();
  const { events } = await env.client.workflow.getHandle(syncWorkflowId(ref)).fetchHistory();
  const fields = events?.[0]?.workflowExecutionStartedEventAttributes?.searchAttributes?.indexedFields ?? {};
  return Object.fromEntries(
    Object.entries(searchAttributes).flatMap(([short, name]) => {
      const data = fields[name]?.data;
      return data == null ? [] : [[short, JSON.parse(Buffer.from(data).toString())]];
    }),
  );
}
