import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { connectAuditObjects } from '../../infra/audit/connect-audit.ts';
import { call, freshNamespace } from '../support/api-client.ts';
import { endpoints, endpointsPath } from '../support/stack.ts';

const { tokens, s3 } = endpoints();
const folder = mkdtempSync(join(tmpdir(), 'imageferry-audit-'));
after(() => rmSync(folder, { recursive: true }));
const environment = {
  S3_ENDPOINT: s3.endpoint,
  S3_REGION: s3.region,
  S3_BUCKET: s3.bucket,
  AWS_ACCESS_KEY_ID: s3.accessKeyId,
  AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
};

async function verify(...options: string[]): Promise<{ code: number; text: string }> {
  const args = [join(import.meta.dirname, '../../worker/imageferry.ts'), 'audit', 'verify', ...options];
  const run = promisify(execFile)(process.execPath, args, { env: { ...process.env, ...environment } });
  return run.then(
    ({ stdout }) => ({ code: 0, text: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      text: error.stdout + error.stderr,
    }),
  );
}

test('what the API did is in the audit log, which verifies and answers to filters', async () => {
  const ns = await freshNamespace('api-audit');
  const spec = { domain: 'registry.example.com', username: 'u', password: 'audit-canary', provider: 'other' };
  for (let number = 0; number < 60; number += 1) {
    await call(tokens.admin, 'POST', `/namespaces/${ns}/registry-secrets`, {
      metadata: { name: `s${number}` },
      spec,
    });
  }
  await call(tokens.viewer, 'DELETE', `/namespaces/${ns}/registry-secrets/s1`);
  await call(tokens.admin, 'DELETE', `/namespaces/${ns}/registry-secrets/s1`);
  const listed = await call(tokens.admin, 'GET', `/audit?namespace=${ns}&stream=api&limit=500`);
  assert.equal(listed.json.totalItems, 123);
  assert.ok(!listed.text.includes('audit-canary'));
  const denied = await call(tokens.admin, 'GET', `/audit?namespace=${ns}&stage=Denied`);
  assert.equal(denied.json.items[0].actor.name, await whoIs(ns));
  assert.equal((await call(tokens.viewer, 'GET', '/audit')).status, 403);
  const { code, text } = await verify('--public-key', publicKey());
  assert.equal(code, 0, text);
  assert.match(text, /^api: \d+ records, whole; a checkpoint vouches for all up to #\d+/m);
});

test('a record that somebody changed in the bucket is found', async () => {
  const objects = connectWithKeys();
  let last = '';
  for await (const { key } of objects.list('audit/records/api/')) last = key;
  const before = (await objects.read(last)) ?? '';
  await objects.replace(last, before.replace('"verb":"', '"verb":"x'));
  try {
    const { code, text } = await verify('--stream', 'api');
    assert.equal(code, 1);
    assert.match(text, /^api: changed at #\d+/);
  } finally {
    await objects.replace(last, before);
  }
  assert.equal((await verify('--stream', 'api')).code, 0);
});

function connectWithKeys(): ReturnType<typeof connectAuditObjects> {
  Object.assign(process.env, environment);
  return connectAuditObjects({ endpoint: s3.endpoint, region: s3.region, bucket: s3.bucket });
}

/** The public half of the key that the stack made for its API. */
function publicKey(): string {
  const file = process.env['AUDIT_SIGNING_KEY_FILE'] ?? join(dirname(endpointsPath()), 'audit-key.pem');
  const path = join(folder, 'audit.pub');
  writeFileSync(path, createPublicKey(readFileSync(file, 'utf8')).export({ type: 'spki', format: 'pem' }));
  return path;
}

async function whoIs(namespace: string): Promise<string | undefined> {
  const answer = await call(tokens.viewer, 'DELETE', `/namespaces/${namespace}/registry-secrets/s2`);
  return /\((\S+) cannot delete/.exec(answer.json.message)?.[1];
}
