/** The first names of a list, and how many there are besides: `a, b and 298 more`. `most`: how many are named. */
export function someNames(names: readonly string[], most: number): string {
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}
