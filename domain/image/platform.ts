import { Failure } from '../failure.ts';
import { printable } from '../names/digest.ts';
import type { Descriptor, Platform } from './descriptor.ts';

const part = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const operatingSystems: Readonly<Record<string, string>> = { macos: 'darwin' };
const architectures: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  i386: '386',
  i486: '386',
  i586: '386',
  i686: '386',
  aarch64: 'arm64',
  armhf: 'arm',
};

/** Parses `os/architecture[/variant]`, such as `linux/arm64/v8`, in any case. Throws `InvalidName`. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const [os, architecture, variant] = parts;
  const legal = parts.length <= 3 && parts.every((word) => part.test(word));
  if (!legal || os === undefined || architecture === undefined) {
    throw new Failure('InvalidName', {
      subject: printable(text),
      detail: 'expected os/architecture[/variant], such as linux/arm64/v8',
    });
  }
  return normalised({ os, architecture, ...(variant === undefined ? {} : { variant }) });
}

/** Prints a platform in the form that {@link parsePlatform} reads; the OS version is left out. */
export function printPlatform(platform: Platform): string {
  const variant = platform.variant === undefined || platform.variant === '' ? '' : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

/**
 * Whether an image for `actual` is one that was asked for. A wish without variant or OS version takes any; a variant
 * that an image leaves out is the usual one of its architecture (`arm64` is `v8`, `arm` is `v7`, `amd64` is `v1`).
 */
export function matchesPlatform(wanted: Platform, actual: Platform): boolean {
  const [wish, found] = [normalised(wanted), normalised(actual)];
  if (wish.os !== found.os || wish.architecture !== found.architecture) return false;
  if (wish.osVersion !== undefined && wish.osVersion !== found.osVersion) return false;
  return wish.variant === undefined || wish.variant === usualVariant(found);
}

/** True for a child of an index that describes another child (build attestations say `unknown/unknown`). */
export function isAttestation(child: Descriptor): boolean {
  if (child.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest') return true;
  return child.platform?.os === 'unknown' && child.platform.architecture === 'unknown';
}

function normalised(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const architecture = platform.architecture.toLowerCase();
  const variant = platform.variant?.toLowerCase().replace(/^(?=\d)/, 'v');
  return {
    os: operatingSystems[os] ?? os,
    architecture: architectures[architecture] ?? architecture,
    ...(variant === undefined || variant === '' ? {} : { variant }),
    ...(platform.osVersion === undefined || platform.osVersion === ''
      ? {}
      : { osVersion: platform.osVersion }),
  };
}

function usualVariant(platform: Platform): string | undefined {
  if (platform.variant !== undefined) return platform.variant;
  const usual: Readonly<Record<string, string>> = { arm64: 'v8', arm: 'v7', amd64: 'v1' };
  return usual[platform.architecture];
}
