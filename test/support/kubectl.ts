import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { endpoints, pidOf } from './stack.ts';

/** What kubectl did. */
export interface KubectlRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real kubectl against the running stack as its administrator; `input` goes to its standard input. */
export function kubectl(args: readonly string[], input?: object | string): Promise<KubectlRun> {
  const full = ['--kubeconfig', endpoints().kubeconfig, ...args];
  return new Promise((resolve) => {
    const child = execFile('kubectl', full, { timeout: 120_000 }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end(typeof input === 'object' ? JSON.stringify(input) : (input ?? ''));
  });
}

/** `kubectl apply -f -`, client-side as people run it, so that the last-applied annotation is written. */
export const apply = (object: object | string): Promise<KubectlRun> => kubectl(['apply', '-f', '-'], object);

/** Every key of etcd whose value holds one of the texts, read from etcd itself and not through the API server. */
export async function etcdKeysHolding(texts: readonly string[]): Promise<string[]> {
  const all = await allOfEtcd();
  return all.filter(({ value }) => texts.some((text) => value.includes(text))).map(({ key }) => key);
}

/** All that Kubernetes keeps in etcd, read from etcd itself and not through the API server. */
export async function allOfEtcd(): Promise<{ readonly key: string; readonly value: Buffer }[]> {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const response = await fetch(new URL('/v3/kv/range', etcdUrl()), {
    method: 'POST',
    body: JSON.stringify({ key: encode('/registry/'), range_end: encode('/registry0') }),
    signal: AbortSignal.timeout(30_000),
  });
  const { kvs } = (await response.json()) as { kvs: readonly { key: string; value: string }[] };
  return kvs.map(({ key, value }) => ({
    key: Buffer.from(key, 'base64').toString(),
    value: Buffer.from(value, 'base64'),
  }));
}

/** The address that the stack's etcd was told to listen on. */
function etcdUrl(): string {
  const args = readFileSync(`/proc/${pidOf('etcd')}/cmdline`, 'utf8').split('\0');
  const found = args.find((argument) => argument.startsWith('--listen-client-urls='));
  if (found === undefined) throw new Error('the stack has no etcd of its own');
  return found.slice(found.indexOf('=') + 1);
}
