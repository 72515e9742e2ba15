import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Secrets } from '../../../infra/local/secrets.ts';
import { endpoints, endpointsPath } from '../stack.ts';
import { SecretFinder } from './forms.ts';
import { etcdValues, files, histories, objects } from './places.ts';

/** What a search looked at and found. */
export interface Search {
  readonly places: number;
  readonly secrets: number;
  /** `name of the secret: where it was found`, never the secret. */
  readonly found: readonly string[];
}

/** Looks for secrets everywhere but where they belong: the running stack's etcd, histories, bucket and files. */
export async function searchStack(secrets: Readonly<Record<string, string>>): Promise<Search> {
  const finder = new SecretFinder(secrets);
  const found: string[] = [];
  let places = 0;
  const all = endpoints();
  for (const source of [etcdValues(), histories(all), objects(all), files(dirname(endpointsPath()))]) {
    for await (const { where, bytes } of source) {
      places += 1;
      for (const name of finder.in(bytes)) found.push(`${name}: ${where}`);
    }
  }
  return { places, secrets: Object.keys(secrets).length, found };
}

/** Every secret that the run used: the stack's own, and those that its tests made up. */
export function secretsOfRun(): Readonly<Record<string, string>> {
  const path = join(dirname(endpointsPath()), 'secrets.json');
  const { tokens, passwords, s3 } = JSON.parse(readFileSync(path, 'utf8')) as Secrets;
  const named: Record<string, string> = { 's3 key': s3.secretAccessKey };
  for (const [name, token] of Object.entries(tokens)) named[`token of ${name}`] = token;
  for (const [name, password] of Object.entries(passwords)) named[`password of ${name}`] = password;
  return { ...named, ...madeUp };
}

/** What the tests' own passwords begin with or are, so that they are found when their Secret is long gone. */
const madeUp = {
  'password made up by a test': 'c4nary-imageferry-',
  'wrong password of a test': 'canary-password',
};
