import { html } from 'hono/html';
import type { z } from '@hono/zod-openapi';
import type { batchAnswerSchema, batchProgressSchema } from '../schema/batch.ts';
import { badge, table, type Markup } from './markup.ts';
import type { Viewer } from './viewer.ts';
import type { Say } from './words.ts';

type BatchAnswer = z.output<typeof batchAnswerSchema>;
type BatchProgress = z.output<typeof batchProgressSchema>;
type Results = BatchAnswer['results'];

/** What of a batch was taken and what refused; the page follows one that was started. */
export function batchAnswer(answer: BatchAnswer, namespace: string, say: Say): Markup {
  const { dryRun, accepted, refused, results, id } = answer;
  const counts = `${accepted} ${say('accepted')}, ${refused} ${say('refusedCount')}`;
  const summary = html`<p class="notice ${refused > 0 ? 'bad' : 'good'}">
    ${dryRun ? `${say('wouldDo')}: ` : ''}${counts}
  </p>`;
  if (id === undefined) return html`<section>${summary} ${resultTable(results, say, 'Accepted')}</section>`;
  const at = `ns=${encodeURIComponent(namespace)}&id=${encodeURIComponent(id)}`;
  return html`<section data-poll="/console/batch?${at}">${summary} ${resultTable(results, say)}</section>`;
}

/** How far a batch has come. */
export async function batchView({ get, query, say }: Viewer): Promise<Markup> {
  const [ns, id] = [query('ns'), query('id')];
  const path = `/namespaces/${encodeURIComponent(ns)}/batches/${encodeURIComponent(id)}`;
  const { total, done, failed, finished, results } = await get<BatchProgress>(path);
  const body = html`<p class="notice ${failed > 0 ? 'bad' : 'good'}">
      ${say(finished ? 'finished' : 'running')}: ${done} ${say('Done')}, ${failed} ${say('Failed')} / ${total}
    </p>
    <progress max="${total}" value="${done + failed}" aria-label="${say('running')}"></progress>
    ${resultTable(results, say)}`;
  if (finished) return html`<section data-refresh="true">${body}</section>`;
  const at = new URLSearchParams({ ns, id }).toString();
  return html`<section data-poll="/console/batch?${at}">${body}</section>`;
}

/** `waiting` is the word for what is not done yet. */
function resultTable(results: Results, say: Say, waiting = 'Waiting'): Markup {
  const rows = results.map(
    ({ resource, namespace, name, result, reason, message }) =>
      html`<tr>
        <th scope="row">${namespace}/${name}</th>
        <td>${resource}</td>
        <td>${badge(result === 'Waiting' ? waiting : result, say)}</td>
        <td>${message ?? ''} ${reason === undefined ? '' : html`<code>${reason}</code>`}</td>
      </tr>`,
  );
  const headings = [say('name'), say('resource'), say('result'), say('reason')];
  return html`<details open>
    <summary>${say('result')}</summary>
    ${table(say('result'), headings, rows, say('nothing'))}
  </details>`;
}
