import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the stack invents once per folder and keeps: passwords and tokens. */
export interface Secrets {
  readonly tokens: {
    readonly admin: string;
    readonly operator: string;
    readonly viewer: string;
    /** The product's own identity. */
    readonly controller: string;
    /** A cluster-admin, for the person at `kubectl`. */
    readonly clusterAdmin: string;
  };
  readonly passwords: { readonly upstream: string; readonly edge: string };
  readonly s3: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const word = (): string => randomBytes(18).toString('base64url');

/** The secrets of `folder`, made at the first call. The file is readable by its owner only. */
export function secretsOf(folder: string): Secrets {
  const path = join(folder, 'secrets.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Secrets;
  const made: Secrets = {
    tokens: {
      admin: word(),
      operator: word(),
      viewer: word(),
      controller: word(),
      clusterAdmin: word(),
    },
    passwords: { upstream: word(), edge: word() },
    s3: { accessKeyId: randomBytes(10).toString('hex'), secretAccessKey: word() },
  };
  writePrivately(path, JSON.stringify(made, null, 2));
  return made;
}

/** The path of an RSA key that signs service account tokens, made at the first call. */
export function serviceAccountKey(folder: string): string {
  const path = join(folder, 'service-account.pem');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writePrivately(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
  return path;
}

/** The path of an Ed25519 key that signs the audit log's checkpoints, made at the first call. */
export function auditKey(folder: string): string {
  const path = join(folder, 'audit-key.pem');
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writePrivately(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  }
  return path;
}

/** Writes a file that only its owner can read, whole or not at all. */
export function writePrivately(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
