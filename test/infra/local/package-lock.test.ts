import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

interface Package {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

// npm leaves out what it could not fetch for other systems when the file was made, and `npm ci` then refuses the file.
test('package-lock.json names the optional packages of every system, so that npm ci takes it', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { readonly packages: Readonly<Record<string, Package>> };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        packages[`node_modules/${name}`] === undefined &&
        packages[`${path}/node_modules/${name}`] === undefined,
    ),
  );
  assert.deepEqual(missing, []);
});

test('package-lock.json names no registry, so that the one set on the machine is used', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8');
  assert.ok(!/"resolved": "https?:/.test(text));
});
