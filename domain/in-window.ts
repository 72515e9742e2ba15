/** Does work on every item, so many at a time; the results come in the order of the items. The first failure ends it. */
export async function inWindow<T, R>(
  items: readonly T[],
  size: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(size, items.length) }, lane));
  return results;
}
