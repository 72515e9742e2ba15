import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks for pages of lists at a steady pace, from a process of its own so that its processor time is not the API's.
 * Run: `node test/bench/page-load.ts BASE_URL PAGES PER_SECOND`; prints how long they took. `TOKEN` signs in.
 */
const [base = '', pages = '1000', perSecond = '100'] = process.argv.slice(2);
const headers = { authorization: `Bearer ${process.env['TOKEN'] ?? ''}` };

const queries = [
  'limit=10',
  'limit=50&page=7',
  'search=nginx+77',
  'name=app-12&limit=20',
  'sort=-lastSynced&limit=20',
  'status=Failed&limit=100',
  'limit=500',
];

const times: number[] = [];
for (let number = 0; number < queries.length; number += 1) await page(number);
times.length = 0;
const calls: Promise<void>[] = [];
const start = performance.now();
for (let number = 0; number < Number(pages); number += 1) {
  await sleep(Math.max(0, start + (number * 1000) / Number(perSecond) - performance.now()));
  calls.push(page(number));
}
await Promise.all(calls);
times.sort((a, b) => a - b);
const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1);
console.log(
  `${times.length} pages: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
);

async function page(number: number): Promise<void> {
  const namespace = number % 3 === 0 ? `team-${number % 10}` : '_all_';
  const from = performance.now();
  const url = `${base}/namespaces/${namespace}/repositories?${queries[number % queries.length]}`;
  const response = await fetch(url, { headers });
  await response.text();
  if (response.status !== 200) throw new Error(`answered ${response.status}`);
  times.push(performance.now() - from);
}
