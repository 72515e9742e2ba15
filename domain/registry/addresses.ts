/** What kind of place an IP address is. */
export type AddressKind = 'public' | 'private' | 'never';

/** Who asked for the connection. */
export interface DialRule {
  /** True for the registry's own declared domain, which may be private (an on-prem or local registry). */
  readonly declared: boolean;
  /** The registry's `allowPrivate`: other hosts it points to may be private as well. */
  readonly allowPrivate: boolean;
}

/** Whether an address may be dialled, and why not. */
export type DialVerdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

type Range = readonly [prefix: string, bits: number];

/** Link-local (cloud metadata lives there), unspecified, multicast, broadcast, documentation, and metadata elsewhere. */
const never4: readonly Range[] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
/** RFC 1918, loopback, carrier-grade NAT, benchmarking networks. */
const private4: readonly Range[] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
  ['100.64.0.0', 10],
  ['198.18.0.0', 15],
];
const never6: readonly Range[] = [
  ['::', 128],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
  ['100::', 64],
  ['2001:db8::', 32],
  ['2001::', 32],
];
const private6: readonly Range[] = [
  ['::1', 128],
  ['fc00::', 7],
];
/** Prefixes that carry an IPv4 address, and the bit at which it starts: that address decides. */
const embedding: readonly (readonly [prefix: string, bits: number, at: number])[] = [
  ['::ffff:0:0', 96, 96],
  ['::ffff:0:0:0', 96, 96],
  ['64:ff9b::', 96, 96],
  ['64:ff9b:1::', 48, 96],
  ['2002::', 16, 16],
  ['::', 96, 96],
];

/** Sorts an IP address as a resolver or socket prints it; text that is no address is `never`. */
export function addressKind(text: string): AddressKind {
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  return bytes === undefined ? 'never' : kindOf(bytes);
}

/** Decides on the address that is really dialled, after name resolution. */
export function mayDial(address: string, rule: DialRule): DialVerdict {
  const kind = addressKind(address);
  if (kind === 'never')
    return { allowed: false, reason: 'link-local, metadata and reserved addresses are never called' };
  if (kind === 'public' || rule.declared || rule.allowPrivate) return { allowed: true };
  return {
    allowed: false,
    reason: 'a private address that is not the declared registry; allowPrivate is not set',
  };
}

/** Whether text is an IP address. */
export function isAddress(text: string): boolean {
  return (text.includes(':') ? parseIpv6(text) : parseIpv4(text)) !== undefined;
}

/** Whether an address lies in a network of the same family; false for text that is no address. */
export function inNetwork(text: string, network: string, bits: number): boolean {
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  return (
    bytes !== undefined && text.includes(':') === network.includes(':') && within(bytes, [network, bits])
  );
}

function kindOf(bytes: readonly number[]): AddressKind {
  const [never, inner] = bytes.length === 4 ? [never4, private4] : [never6, private6];
  if (never.some((range) => within(bytes, range))) return 'never';
  if (inner.some((range) => within(bytes, range))) return 'private';
  const embedded =
    bytes.length === 4 ? undefined : embedding.find(([prefix, bits]) => within(bytes, [prefix, bits]));
  return embedded === undefined ? 'public' : kindOf(bytes.slice(embedded[2] / 8, embedded[2] / 8 + 4));
}

function within(bytes: readonly number[], [prefix, bits]: Range): boolean {
  const base = prefix.includes(':') ? parseIpv6(prefix) : parseIpv4(prefix);
  return bytes.every((byte, index) => {
    const mask = (0xff << (8 - Math.min(8, Math.max(0, bits - index * 8)))) & 0xff;
    return (byte & mask) === ((base?.[index] ?? 0) & mask);
  });
}

/** Four decimal parts without leading zeros, nothing else: `0177.1` and `2130706433` are no addresses here. */
function parseIpv4(text: string): readonly number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const parts = match?.slice(1) ?? [];
  const legal =
    parts.length === 4 && parts.every((part) => Number(part) < 256 && String(Number(part)) === part);
  return legal ? parts.map(Number) : undefined;
}

/** Sixteen bytes of an IPv6 address in any of its forms (RFC 4291, 2.2); a zone (`%eth0`) is ignored. */
function parseIpv6(text: string): readonly number[] | undefined {
  const address = hexTail(text.split('%')[0] ?? '');
  const [left = '', right, extra] = address?.split('::') ?? [];
  const [before, after] = [groups(left), groups(right ?? '')];
  if (address === undefined || extra !== undefined || before === undefined || after === undefined)
    return undefined;
  const missing = 16 - before.length - after.length;
  if (right === undefined ? missing !== 0 : missing < 2) return undefined;
  return [...before, ...Array.from({ length: missing }, () => 0), ...after];
}

/** Writes a dotted tail (`::ffff:127.0.0.1`) as two groups of hex digits. */
function hexTail(address: string): string | undefined {
  const [, head, dotted] = /^(.*:)([\d.]*\.[\d.]*)$/.exec(address) ?? [];
  if (head === undefined || dotted === undefined) return address;
  const bytes = parseIpv4(dotted);
  if (bytes === undefined) return undefined;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${head}${hex.slice(0, 4)}:${hex.slice(4)}`;
}

function groups(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  if (!parts.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined;
  return parts.flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff]);
}
