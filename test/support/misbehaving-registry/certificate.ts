import { generateKeyPairSync, sign } from 'node:crypto';

/** Whom a certificate is for. */
export type CertificateName =
  | { readonly ip: readonly [number, number, number, number] }
  | { readonly dns: string };

/** A self-signed certificate (RFC 5280, in DER by hand). `days`: until it ends; negative where it has expired. */
export function selfSigned(name: CertificateName, days = 2): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const end = Date.now() + days * 86_400_000;
  const subject = sequence(set(sequence(oid(0x55, 0x04, 0x03), tagged(0x0c, Buffer.from('double')))));
  const tbs = sequence(
    tagged(0xa0, integer(2)),
    integer(1),
    ecdsaWithSha256,
    subject,
    sequence(utcTime(end - 10 * 86_400_000), utcTime(end)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(sequence(oid(0x55, 0x1d, 0x11), tagged(0x04, sequence(generalName(name)))))),
  );
  const der = sequence(tbs, ecdsaWithSha256, bitString(sign('sha256', tbs, privateKey)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.byteLength;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]): Buffer => tagged(0x31, ...parts);
const integer = (value: number): Buffer => tagged(0x02, Buffer.from([value]));
const oid = (...bytes: readonly number[]): Buffer => tagged(0x06, Buffer.from(bytes));
const bitString = (bytes: Uint8Array): Buffer => tagged(0x03, Buffer.from([0]), bytes);
const utcTime = (unixMs: number): Buffer =>
  tagged(0x17, Buffer.from(`${new Date(unixMs).toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));
const generalName = (name: CertificateName): Buffer =>
  'ip' in name ? tagged(0x87, Buffer.from(name.ip)) : tagged(0x82, Buffer.from(name.dns));
const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
