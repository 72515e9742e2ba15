import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const rooms = ['domain', 'infra', 'activities', 'workflows', 'api', 'worker', 'test'] as const;
type Room = (typeof rooms)[number];

interface RoomRule {
  readonly values: readonly Room[];
  readonly types: readonly Room[];
  readonly packages: readonly RegExp[];
}

/** The table of docs/architecture.md. A room may always import itself. */
const rules: Readonly<Record<Exclude<Room, 'test'>, RoomRule>> = {
  domain: { values: [], types: [], packages: [/^semver(\/|$)/, /^re2js$/] },
  infra: {
    values: ['domain'],
    types: [],
    packages: [
      /^@temporalio\/(client|common|proto)$/,
      /^@kubernetes\/client-node$/,
      /^@aws-sdk\//,
      /^node:/,
      /^selfsigned$/,
      /^zod$/,
      /^yaml$/,
      /^pino$/,
      /^esbuild$/,
    ],
  },
  activities: { values: ['domain'], types: ['infra'], packages: [/^@temporalio\/(activity|common)$/] },
  workflows: { values: ['domain'], types: ['activities'], packages: [/^@temporalio\/(workflow|common)$/] },
  api: {
    values: ['domain'],
    types: ['infra'],
    packages: [/^hono(\/|$)/, /^@hono\//, /^zod$/, /^node:/, /^prom-client$/, /^pino$/, /^yaml$/],
  },
  worker: {
    values: ['domain', 'activities'],
    types: ['infra'],
    packages: [
      /^@temporalio\/(worker|common|activity)$/,
      /^commander$/,
      /^node:/,
      /^pino$/,
      /^prom-client$/,
      /^yaml$/,
    ],
  },
};

/** Files that construct what the rest is handed; they may import infra as values. */
const entries = [
  /^api\/main\.ts$/,
  /^worker\/(main|site|imageferry)\.ts$/,
  /^worker\/commands\/[a-z-]+\.ts$/,
];

/** Files of infra that start other rooms' programs on a developer's machine, or are generated for them. */
const allowances: Readonly<Record<string, readonly Room[]>> = {};

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory())
      return name === 'node_modules' || name === 'fixtures' ? [] : sourceFiles(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

function importsOf(text: string): Import[] {
  const pattern =
    /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    typeOnly: match[1] !== undefined,
    specifier: match[2] ?? match[3] ?? '',
  }));
}

const files = rooms.flatMap((room) => sourceFiles(join(root, room))).map((path) => relative(root, path));
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const imports = new Map([...texts].map(([file, text]) => [file, importsOf(text)]));
const roomOf = (file: string): Room => file.split('/')[0] as Room;
const target = (file: string, specifier: string): string => normalize(join(dirname(file), specifier));

test('every import follows the arrows between the rooms', () => {
  const wrong: string[] = [];
  for (const [file, list] of imports) {
    const room = roomOf(file);
    if (room === 'test') continue;
    const isEntry = entries.some((entry) => entry.test(file));
    for (const { specifier, typeOnly } of list) {
      if (!specifier.startsWith('.')) continue;
      // What an entry's version is, stands there.
      if (isEntry && target(file, specifier) === 'package.json') continue;
      const other = roomOf(target(file, specifier));
      if (other === room) continue;
      const values = [
        ...rules[room].values,
        ...(isEntry ? (['infra'] as const) : []),
        ...(allowances[file] ?? []),
      ];
      const allowed = typeOnly ? [...values, ...rules[room].types] : values;
      if (!allowed.includes(other)) wrong.push(`${file} → ${specifier}${typeOnly ? ' (type)' : ''}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('every package is imported only by the rooms that own it', () => {
  const wrong: string[] = [];
  for (const [file, list] of imports) {
    const room = roomOf(file);
    if (room === 'test') continue;
    for (const { specifier, typeOnly } of list) {
      if (specifier.startsWith('.')) continue;
      const typeAllowance = typeOnly && room === 'activities' && specifier === '@temporalio/worker';
      if (!typeAllowance && !rules[room].packages.some((owned) => owned.test(specifier)))
        wrong.push(`${file} → ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no import runs in a circle, types included', () => {
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const { specifier } of imports.get(file) ?? []) {
      if (specifier.startsWith('.')) visit(target(file, specifier), [...path, file]);
    }
    state.set(file, 'done');
  };
  for (const file of files) visit(file, []);
  assert.deepEqual(circles, []);
});

test('workflows are imported by nobody and import activities only as types', () => {
  for (const [file, list] of imports) {
    if (roomOf(file) === 'test' || roomOf(file) === 'workflows') continue;
    assert.ok(
      !list.some(
        ({ specifier }) => specifier.startsWith('.') && roomOf(target(file, specifier)) === 'workflows',
      ),
      file,
    );
  }
});

test('no file is longer than 300 lines', () => {
  const long = [...texts].filter(([, text]) => text.split('\n').length > 301).map(([file]) => file);
  assert.deepEqual(long, []);
});

test('no function is longer than 60 lines', () => {
  const long: string[] = [];
  for (const [file, text] of texts) {
    if (roomOf(file) === 'test') continue;
    for (const { name, lines } of topLevelBlocks(text))
      if (lines > 60) long.push(`${file}: ${name} (${lines} lines)`);
  }
  assert.deepEqual(long, []);
});

/** Functions and methods by their formatted shape: an opening line that ends in `{` and the closing line at its indent. */
function topLevelBlocks(text: string): { readonly name: string; readonly lines: number }[] {
  const lines = text.split('\n');
  const opening =
    /^(\s*)(?:export\s+)?(?:async\s+)?(?:function\*?\s+([\w$]+)|(?:const\s+)?(#?[\w$]+)\s*(?:=\s*(?:async\s*)?)?\(.*\)(?:\s*:[^={]+)?\s*(?:=>)?)\s*.*\{$/;
  return lines.flatMap((line, start) => {
    const match = opening.exec(line);
    if (match === null || /^\s*(?:if|for|while|switch|return|catch)\b/.test(line)) return [];
    const close = lines.findIndex((other, index) => index > start && other.startsWith(`${match[1]}}`));
    return close < 0 ? [] : [{ name: match[2] ?? match[3] ?? 'anonymous', lines: close - start + 1 }];
  });
}

test('there are no folders and files that say nothing', () => {
  const vague = files.filter((file) =>
    /(^|\/)(utils?|helpers?|common|types|misc|shared)(\.ts|\/)/.test(file),
  );
  assert.deepEqual(vague, []);
});

test('file names are kebab-case', () => {
  const odd = files.filter((file) => !/^[a-z0-9-]+(\.test|\.d)?\.ts$/.test(file.split('/').at(-1) ?? ''));
  assert.deepEqual(odd, []);
});
