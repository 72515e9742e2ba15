import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex, toHex } from '../../../domain/trust/bytes.ts';
import { parsePublicKey, parsePublicKeyPem, publicKeyPem } from '../../../domain/trust/public-key.ts';
import { generateSigningKey } from '../../../infra/trust/ed25519.ts';
import { codeOf } from '../../support/refusal.ts';

const prime = (1n << 255n) - 19n;
const mod = (value: bigint): bigint => ((value % prime) + prime) % prime;
function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, mod(base)];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}
const inverse = (value: bigint): bigint => power(value, prime - 2n);
const d = mod(-121665n * inverse(121666n));

/** The point's square of x, and whether three doublings end at the neutral element: computed here, not by the code. */
function hasSmallOrder(encoding: Uint8Array): boolean {
  const y = mod(BigInt(`0x${toHex(encoding.toReversed())}`) & ((1n << 255n) - 1n));
  let [xx, yy] = [mod((y * y - 1n) * inverse(mod(d * y * y + 1n))), mod(y * y)];
  let lastY = y;
  for (let doubling = 0; doubling < 3; doubling += 1) {
    // With x² and y²: y(2P) = (y² + x²) / (2 + x² - y²) on the curve -x² + y² = 1 + d x² y².
    lastY = mod((yy + xx) * inverse(mod(2n + xx - yy)));
    yy = mod(lastY * lastY);
    xx = mod((yy - 1n) * inverse(mod(d * yy + 1n)));
  }
  return lastY === 1n;
}

const ys = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];
const withSign = (hex: string): string => {
  const bytes = fromHex(hex) ?? new Uint8Array();
  return toHex(Uint8Array.from(bytes, (byte, index) => (index === 31 ? byte | 0x80 : byte)));
};

for (const hex of ys.flatMap((y) => [y, withSign(y)])) {
  test(`M16 the small-order key ${hex} is refused`, () => {
    assert.ok(hasSmallOrder(fromHex(hex) ?? new Uint8Array()), 'the vector is of small order');
    assert.equal(
      codeOf(() => parsePublicKey(hex)),
      'WeakKey',
    );
  });
}

test('M16 encodings beyond the prime are refused, and what is no key at all', () => {
  assert.equal(
    codeOf(() => parsePublicKey(`f0${'f'.repeat(60)}7f`)),
    'WeakKey',
  );
  for (const text of ['', 'ab', 'G'.repeat(64), 'A'.repeat(64), 'a'.repeat(66)]) {
    assert.equal(
      codeOf(() => parsePublicKey(text)),
      'RootInvalid',
      text,
    );
  }
});

test('generated keys go through PEM and back', () => {
  for (let round = 0; round < 20; round += 1) {
    const { publicPem } = generateSigningKey();
    assert.equal(publicKeyPem(parsePublicKeyPem(publicPem)), publicPem);
  }
  assert.equal(
    codeOf(() => parsePublicKeyPem('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----')),
    'RootInvalid',
  );
});
