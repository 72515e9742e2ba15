const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size for people in decimal units with at most three digits, such as `142MB` or `1.2GB`. */
export function humanSize(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, '')}${units[unit]}`;
}
