import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How `distribution` is told to take the tokens of a server (its `auth.token`). */
export interface TokenAuth {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** Path of the public key. */
  readonly jwks: string;
}

const service = 'registry.test';
const issuer = 'imageferry-test';

/** A token server whose tokens a real `distribution` takes: ES256, an `access` claim for each scope. */
export class SigningTokenServer {
  /** Scopes of each request, in the order in which they came. */
  readonly asked: (readonly string[])[] = [];
  /** Actions that are granted; what else is asked for is left out of the token, as real servers do. */
  granted: readonly string[] = ['pull', 'push', 'delete', '*'];
  /** Tokens to come that have expired when they are handed out. The registry allows for a minute of skew. */
  stale = 0;
  /** What the answers call the life of a token, in seconds. */
  expiresIn = 300;
  readonly #server: Server;
  readonly #folder = mkdtempSync(join(tmpdir(), 'imageferry-tokens-'));
  readonly #key: KeyObject;
  readonly #authorization: string;

  private constructor(credential: { readonly username: string; readonly password: string }) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'ES256', use: 'sig' };
    writeFileSync(join(this.#folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
    const pair = `${credential.username}:${credential.password}`;
    this.#authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(credential: {
    readonly username: string;
    readonly password: string;
  }): Promise<SigningTokenServer> {
    const server = new SigningTokenServer(credential);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get auth(): TokenAuth {
    return { realm: `${this.origin}/token`, service, issuer, jwks: join(this.#folder, 'jwks.json') };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '/', this.origin).searchParams;
    if (request.headers.authorization !== this.#authorization || query.get('service') !== service) {
      response.writeHead(401).end();
      return;
    }
    const scopes = query.getAll('scope');
    this.asked.push(scopes);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ token: this.#token(scopes), expires_in: this.expiresIn }));
  }

  #token(scopes: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const expired = this.stale > 0;
    if (expired) this.stale -= 1;
    const access = scopes.map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',').filter((action) => this.granted.includes(action)) };
    });
    const times = { nbf: now - 600, iat: now - 600, exp: now + (expired ? -300 : 300) };
    const claims = { iss: issuer, sub: 'alice', aud: service, jti: randomUUID(), ...times, access };
    const text = [{ typ: 'JWT', alg: 'ES256', kid: 'test' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(text), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }
}
