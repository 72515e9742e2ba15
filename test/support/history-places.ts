/** A recorded history without the machine and the files that it came from; a replay needs neither. */
export function withoutPlaces(text: string): string {
  const left = new Set(['identity', 'stackTrace', 'workerVersion', 'binaryChecksum', 'normalName']);
  const isSticky = (key: string, value: unknown): boolean =>
    key === 'taskQueue' && JSON.stringify(value).includes('STICKY');
  const history: unknown = JSON.parse(text, (key, value: unknown) =>
    left.has(key) || isSticky(key, value) ? undefined : value,
  );
  return `${JSON.stringify(history)}\n`;
}
