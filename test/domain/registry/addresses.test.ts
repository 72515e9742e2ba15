import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressKind, mayDial, type AddressKind } from '../../../domain/registry/addresses.ts';

const kinds: Readonly<Record<AddressKind, readonly string[]>> = {
  public: [
    '8.8.8.8',
    '172.32.0.1',
    '192.167.255.255',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '100.128.0.1',
  ],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '127.0.0.1',
    '127.255.255.254',
    '100.64.0.1',
    '::1',
    'fd12:3456::1',
    'fc00::',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::a00:1',
    '2002:c0a8:101::',
    '0:0:0:0:0:ffff:c0a8:0101',
  ],
  never: [
    '169.254.169.254',
    '169.254.0.1',
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    '192.0.0.192',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'ff02::1',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::',
    '2001:0:1::1',
  ],
};

for (const [kind, addresses] of Object.entries(kinds)) {
  for (const address of addresses)
    test(`${address} is ${kind}`, () => assert.equal(addressKind(address), kind));
}

test('what is not written as an address is never dialled', () => {
  for (const text of [
    '',
    '1.2.3',
    '0177.0.0.1',
    '2130706433',
    '0x7f.0.0.1',
    '1.2.3.256',
    '1:2',
    ':::',
    '1::2::3',
    '::1.2.3',
    'g::',
    '12345::',
    '1.2.3.4.5',
    'localhost',
    '::ffff:08.8.8.8',
  ]) {
    assert.equal(addressKind(text), 'never', text);
  }
});

test('a private address is dialled for the declared registry, or where allowPrivate says so', () => {
  assert.ok(mayDial('10.0.0.1', { declared: true, allowPrivate: false }).allowed);
  assert.ok(mayDial('10.0.0.1', { declared: false, allowPrivate: true }).allowed);
  assert.ok(!mayDial('10.0.0.1', { declared: false, allowPrivate: false }).allowed);
  assert.ok(mayDial('8.8.8.8', { declared: false, allowPrivate: false }).allowed);
});

test('no flag opens link-local and metadata addresses', () => {
  for (const address of kinds.never)
    assert.ok(!mayDial(address, { declared: true, allowPrivate: true }).allowed, address);
});

test('an IPv4 address and its mapped form are of one kind, whatever the spelling', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
      const hex = (high: number, low: number): string => (high * 256 + low).toString(16);
      const kind = addressKind(address);
      assert.equal(addressKind(`::ffff:${address}`), kind);
      assert.equal(addressKind(`::FFFF:${hex(a, b).toUpperCase()}:${hex(c, d)}`), kind);
      assert.equal(addressKind(`0:0:0:0:0:ffff:${hex(a, b)}:${hex(c, d)}`), kind);
    }),
    { numRuns: 3000 },
  );
});

test('every IPv6 address that can be written is of some kind, and arbitrary text throws nothing', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => ['public', 'private', 'never'].includes(addressKind(address))),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => addressKind(text) !== undefined),
    { numRuns: 3000 },
  );
});
