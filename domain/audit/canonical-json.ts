/** A value that canonical JSON can print. */
export type CanonicalValue = null | boolean | number | string | readonly CanonicalValue[] | object;

/**
 * Prints JSON by RFC 8785 (JCS): no white space, keys sorted by UTF-16 code units, numbers and strings as ECMAScript
 * prints them. Fields that are `undefined` are left out. Throws a `RangeError` for numbers JSON has no form for and a
 * `TypeError` for lone surrogates (section 3.2.2.2), so that what was hashed can always be read again.
 */
export function canonicalJson(value: CanonicalValue): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('not a JSON number');
  if (typeof value === 'string') return printString(value);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields = Object.entries<CanonicalValue | undefined>({ ...value })
    .filter((field): field is [string, CanonicalValue] => field[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, field]) => `${printString(key)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
}

function printString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a lone surrogate is no Unicode text');
  return JSON.stringify(text);
}

const isList = (value: CanonicalValue): value is readonly CanonicalValue[] => Array.isArray(value);
