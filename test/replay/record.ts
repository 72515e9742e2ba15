import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { connectTemporal } from '../../infra/temporal/connection.ts';
import { withoutPlaces } from '../support/history-places.ts';
import { endpoints } from '../support/stack.ts';

const [workflowId, name, runId] = process.argv.slice(2);
if (workflowId === undefined || name === undefined)
  throw new Error('usage: record.ts WORKFLOW-ID NAME [RUN-ID]');
const { temporalAddress: address, temporalNamespace: namespace } = endpoints();
const temporal = connectTemporal({ address, namespace });
const history = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
writeFileSync(join(import.meta.dirname, 'histories', `${name}.json`), withoutPlaces(historyToJSON(history)));
await temporal.connection.close();
