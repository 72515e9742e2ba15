import { isUtf8 } from 'node:buffer';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import {
  isJsonObject,
  parseStrictJson,
  type JsonObject,
  type JsonValue,
} from '../../domain/image/strict-json.ts';
import { registryHost, type RegistryDomain } from '../../domain/names/registry-domain.ts';
import type { Credential } from '../copy/engine.ts';

/** Where docker, podman and others keep what `login` stored. */
export function dockerConfigPath(env: NodeJS.ProcessEnv): string {
  return env['REGISTRY_AUTH_FILE'] ?? join(env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json');
}

const helperName = /^[A-Za-z0-9._-]+$/;
const dockerHubKey = 'https://index.docker.io/v1/';

/**
 * The credential that a docker config file has for a registry: from a credential helper, or stored in the file. Only the
 * exact host counts. Undefined where there is none. Throws `InvalidCredential` for an entry that contradicts itself.
 */
export async function dockerCredential(
  path: string,
  domain: RegistryDomain,
): Promise<Credential | undefined> {
  const config = readConfig(path);
  if (config === undefined) return undefined;
  const keys =
    registryHost(domain) === 'registry-1.docker.io'
      ? [dockerHubKey, 'docker.io', 'index.docker.io']
      : [domain];
  for (const key of keys) {
    const helper = textOf(objectOf(config['credHelpers'])?.[key]) ?? textOf(config['credsStore']);
    const found = helper === undefined ? undefined : await askHelper(helper, key);
    const stored = found ?? storedCredential(objectOf(config['auths'])?.[key], domain);
    if (stored !== undefined) return stored;
  }
  return undefined;
}

function readConfig(path: string): JsonObject | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  const body = parseStrictJson(bytes, { code: 'InvalidCredential', subject: path });
  if (isJsonObject(body)) return body;
  throw new Failure('InvalidCredential', { subject: path, detail: 'not a docker config file' });
}

function storedCredential(entry: JsonValue | undefined, domain: RegistryDomain): Credential | undefined {
  if (!isJsonObject(entry)) return undefined;
  const [username, password] = [textOf(entry['username']), textOf(entry['password'])];
  const auth = textOf(entry['auth']);
  if (auth === undefined)
    return username === undefined || password === undefined ? undefined : { username, password };
  const encoded = decodeAuth(auth, domain);
  const differs =
    (username ?? encoded.username) !== encoded.username ||
    (password ?? encoded.password) !== encoded.password;
  if (differs)
    throw new Failure('InvalidCredential', { subject: domain, detail: 'auth and username/password differ' });
  return encoded;
}

/** Strictly: what `Buffer` would skip or replace is a file that somebody damaged, and would be sent as a wrong password. */
function decodeAuth(auth: string, domain: RegistryDomain): Credential {
  const bytes = Buffer.from(auth, 'base64');
  const decoded = bytes.toString('utf8');
  const colon = decoded.indexOf(':');
  const isExact = bytes.toString('base64').replace(/=+$/, '') === auth.replace(/=+$/, '');
  // eslint-disable-next-line no-control-regex -- exactly these cannot be sent
  if (!isExact || !isUtf8(bytes) || colon < 1 || /[\u0000-\u001f\u007f]/.test(decoded))
    throw new Failure('InvalidCredential', {
      subject: domain,
      detail: 'auth is not user:password in base64',
    });
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Asks `docker-credential-<helper>`, as docker does. Undefined where it has nothing or is not installed. */
async function askHelper(helper: string, key: string): Promise<Credential | undefined> {
  if (!helperName.test(helper))
    throw new Failure('InvalidCredential', { detail: 'the name of a credential helper' });
  const output = await new Promise<string | undefined>((resolve) => {
    const child = execFile(
      `docker-credential-${helper}`,
      ['get'],
      { timeout: 15_000, maxBuffer: 65_536 },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(key);
  });
  if (output === undefined) return undefined;
  const body = parseStrictJson(Buffer.from(output), { code: 'InvalidCredential', maxBytes: 65_536 });
  const [username, secret] = isJsonObject(body) ? [textOf(body['Username']), textOf(body['Secret'])] : [];
  return username === undefined || secret === undefined ? undefined : { username, password: secret };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function objectOf(value: JsonValue | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}
