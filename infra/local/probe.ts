/** Throws unless `url` answers with one of `statuses` within 2 seconds. */
export async function answers(
  url: string,
  statuses: readonly number[],
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(2000), redirect: 'manual' });
  await response.body?.cancel();
  if (!statuses.includes(response.status)) throw new Error(`${url} answered ${response.status}`);
}
