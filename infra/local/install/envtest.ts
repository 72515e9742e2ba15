import { createHash } from 'node:crypto';
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Step } from './progress.ts';
import { run } from './run.ts';

/**
 * Newest control-plane binaries of the Kubernetes project's own test releases whose checksum is published in
 * `envtest-releases.yaml` of kubernetes-sigs/controller-tools (SHA-512, copied from there).
 */
const release = 'v1.36.2';
const checksums: Readonly<Record<string, string>> = {
  'linux-amd64':
    'ea743186c8a799f5cf8faf16969f86189d003cb7d130e0ac4b58789f1e5748dcf30ebe91c837a10d5ac415383da3e10b9e64d65785c938c23e739781cfb76f08',
  'linux-arm64':
    '2d72ee985a8e262a3c57dc9f7f0fd891f6a8c7bf7ebaa2db6dc6d8eac8ae28181afe51c1f368b67756cdb40b10de9b205609e1726e5f27f7c6d824dd9c6649ac',
  'darwin-amd64':
    'b4fe9f973cd1992e3880f8b230ed32c0c243b83371591e3e3315f4404df2cdbef8ee94eeb9bb245b7e5feb987d5c4a76c43e0877654ab73f00d7bbc2b9984514',
  'darwin-arm64':
    '9278f9e5af556b2f1f2d139769c1f0d717c7b4426917fdebdba898bcb725a916e4910d6160886194ff9be9589ea7c5c32c2b8ae0754703874b7c8ba8ddfc41ce',
};

/**
 * Fetches kube-apiserver prebuilt: at most 3 seconds to the first byte and 60 in all. False where it cannot be had or
 * is not the file that the checksum says; the caller then builds it. `IMAGEFERRY_PREBUILT=off` skips the try.
 */
export async function prebuiltApiServer(folder: string, step: Step): Promise<boolean> {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const checksum = checksums[platform];
  if (checksum === undefined || process.env['IMAGEFERRY_PREBUILT'] === 'off') return false;
  const file = `envtest-${release}-${platform}.tar.gz`;
  const archive = join(folder, file);
  try {
    step.detail(`trying the prebuilt ${release}`);
    const bytes = await download(
      `https://github.com/kubernetes-sigs/controller-tools/releases/download/envtest-${release}/${file}`,
    );
    if (createHash('sha512').update(bytes).digest('hex') !== checksum)
      throw new Error('it is not the file that the pinned checksum says');
    writeFileSync(archive, bytes);
    await run('tar', ['-xzf', archive, '-C', folder]);
    renameSync(join(folder, 'controller-tools/envtest/kube-apiserver'), join(folder, 'kube-apiserver'));
    chmodSync(join(folder, 'kube-apiserver'), 0o755);
    return true;
  } catch (error) {
    step.detail(`no prebuilt ${release} (${reason(error)}), building from source`);
    return false;
  } finally {
    rmSync(join(folder, 'controller-tools'), { recursive: true, force: true });
    rmSync(archive, { force: true });
  }
}

async function download(url: string): Promise<Uint8Array> {
  const connect = new AbortController();
  const timer = setTimeout(() => connect.abort(new Error('no answer in 3 seconds')), 3000);
  const signal = AbortSignal.any([connect.signal, AbortSignal.timeout(60_000)]);
  try {
    const response = await fetch(url, { signal });
    clearTimeout(timer);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } finally {
    clearTimeout(timer);
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
