import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { asFailure, type FailureCode } from '../../domain/failure.ts';
import { parseSiteName } from '../../domain/names/kubernetes-name.ts';
import { importBundle } from '../../infra/bundle/import-bundle.ts';
import { openBundleMedium } from '../../infra/layout/open-medium.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import { planTar, streamTar } from '../../infra/layout/tar-plan.ts';
import { sampleBundle } from '../support/sample-bundle.ts';
import { randomBlob, sampleImage } from '../support/sample-image.ts';
import { newSigner, rootOf, signRoot } from '../support/signed-samples.ts';

/** Mutations in all. `IMAGEFERRY_MUTATIONS=10000 node --test` is the long run; `IMAGEFERRY_MUTATIONS_SEED` moves it. */
const mutations = Number(process.env['IMAGEFERRY_MUTATIONS'] ?? '600');
const seed = Number(process.env['IMAGEFERRY_MUTATIONS_SEED'] ?? '1');
const folder = mkdtempSync(join(tmpdir(), 'imageferry-mutations-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Numbers below `most` that only the seed decides (Marsaglia, xorshift32). */
function numbers(from: number): (most: number) => number {
  let state = (from * 2_654_435_761) >>> 0 || 1;
  return (most) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % most;
  };
}
type Pick = (most: number) => number;
type Files = Map<string, Uint8Array>;

const signer = newSigner();
const rootBytes = signRoot(rootOf(1, [signer]), [signer]);
const image = sampleImage([randomBlob(700), randomBlob(300), randomBlob(1)]);
const other = sampleImage([randomBlob(700)]);
const bundle = sampleBundle([{ repo: 'edge/app', tag: 'v1', image }], [signer], [rootBytes]);
const foreign = sampleBundle([{ repo: 'edge/app', tag: 'v1', image: other }], [signer], [rootBytes]);

const bytesEdits: readonly ((bytes: Uint8Array, pick: Pick) => Uint8Array)[] = [
  (bytes, pick) => {
    const [at, bit] = [pick(bytes.length), 1 << pick(8)];
    return bytes.map((byte, index) => (index === at ? byte ^ bit : byte));
  },
  (bytes, pick) => bytes.slice(0, pick(bytes.length)),
  (bytes, pick) => Buffer.concat([bytes, Buffer.alloc(1 + pick(1024), pick(2) === 0 ? 0 : 65)]),
  (bytes, pick) => {
    const at = pick(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + pick(600)))]);
  },
  (bytes, pick) => {
    const [at, to] = [pick(bytes.length), pick(bytes.length + 1)];
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at, at + 1 + pick(700)), bytes.subarray(to)]);
  },
  (bytes, pick) => {
    const [at, end] = [pick(bytes.length), 1 + pick(64)];
    return bytes.map((byte, index) => (index >= at && index < at + end ? 0 : byte));
  },
];

const nameOf = (files: Files, pick: Pick): string => [...files.keys()][pick(files.size)] ?? '';
const contentOf = (files: Files, name: string): Uint8Array => files.get(name) ?? new Uint8Array();

const setEdits: readonly ((files: Files, pick: Pick) => void)[] = [
  (files, pick) => {
    const name = nameOf(files, pick);
    const edit = bytesEdits[pick(bytesEdits.length)];
    files.set(name, edit?.(contentOf(files, name), pick) ?? new Uint8Array());
  },
  (files, pick) => void files.delete(nameOf(files, pick)),
  (files, pick) => {
    const [one, two] = [nameOf(files, pick), nameOf(files, pick)];
    const kept = contentOf(files, one);
    files.set(one, contentOf(files, two)).set(two, kept);
  },
  (files, pick) => {
    const name = nameOf(files, pick);
    const names = [
      `blobs/sha256/${'0'.repeat(64)}`,
      `${name}x`,
      'blobs/sha256/x',
      `roots/root.${1 + pick(9)}.json`,
    ];
    const fresh = names[pick(names.length)] ?? '';
    if (!files.has(fresh)) files.set(fresh, contentOf(files, name));
  },
  (files, pick) => {
    const name = nameOf(files, pick);
    const content = contentOf(files, name);
    files.delete(name);
    files.set(
      `blobs/sha256/${pick(2 ** 31)
        .toString(16)
        .padStart(64, '0')}`,
      content,
    );
  },
  (files, pick) => {
    const name = [...foreign.files.keys()][pick(foreign.files.size)] ?? '';
    files.set(name, foreign.files.get(name) ?? new Uint8Array());
  },
];

const isSame = (files: Files): boolean =>
  files.size === bundle.files.size &&
  [...files].every(([name, bytes]) => Buffer.from(bundle.files.get(name) ?? 'x').equals(bytes));

function write(path: string, files: Files): string {
  rmSync(path, { recursive: true, force: true });
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), bytes);
  }
  return path;
}

async function tarOf(files: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  const plan = planTar([...files].map(([name, bytes]) => ({ name, size: bytes.byteLength })));
  async function* part(file: { readonly name: string }, from: number, length: number) {
    yield (files.get(file.name) ?? new Uint8Array()).subarray(from, from + length);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamTar(plan, 0, plan.size, part)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const site = new SiteFolder(join(folder, 'site'));
await site.pin(parseSiteName('plant-7'), rootBytes, '2026-01-01T00:00:00.000Z');
const stateBefore = readFileSync(join(site.path, 'state.json'), 'utf8');

/** Why it was refused. Fails where it was not, or where anything was asked of the registry or written to the state. */
async function refusal(path: string, what: string): Promise<FailureCode> {
  let touched = false;
  let code: FailureCode | undefined;
  try {
    const medium = await openBundleMedium(path);
    try {
      const repository = () => {
        touched = true;
        throw new Error('the registry was asked for');
      };
      await importBundle({ medium, folder: site, repository }, { now: Date.now });
    } finally {
      await medium.close();
    }
  } catch (error) {
    code = asFailure(error).code;
  }
  assert.ok(!touched && code !== undefined, `accepted: ${what}`);
  assert.equal(readFileSync(join(site.path, 'state.json'), 'utf8'), stateBefore, what);
  assert.notEqual(code, 'Internal', what);
  return code;
}

test(`${mutations} changes to the files of a bundle's directory: 0 accepted, nothing written`, async () => {
  const codes = new Map<string, number>();
  for (let at = 0, done = 0; done < mutations; at += 1) {
    const pick = numbers(seed * 1_000_003 + at);
    const files: Files = new Map(bundle.files);
    for (let edits = 1 + pick(2); edits > 0; edits -= 1) setEdits[pick(setEdits.length)]?.(files, pick);
    if (isSame(files)) continue;
    const code = await refusal(write(join(folder, 'directory'), files), `directory, mutation ${at}`);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    done += 1;
  }
  assert.ok(codes.size >= 4, [...codes.keys()].join(' '));
});

test(`${mutations} changes to the bytes of a bundle's archive: 0 accepted, nothing written`, async () => {
  const tar = await tarOf(bundle.files);
  const path = join(folder, 'bundle.tar');
  const codes = new Map<string, number>();
  for (let at = 0, done = 0; done < mutations; at += 1) {
    const pick = numbers(seed * 7_000_003 + at);
    let bytes: Uint8Array = tar;
    for (let edits = 1 + pick(2); edits > 0 && bytes.length > 0; edits -= 1) {
      bytes = bytesEdits[pick(bytesEdits.length)]?.(bytes, pick) ?? bytes;
    }
    if (tar.equals(bytes)) continue;
    writeFileSync(path, bytes);
    const code = await refusal(path, `archive, mutation ${at}`);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    done += 1;
  }
  assert.ok(codes.size >= 2, [...codes.keys()].join(' '));
});

test('the same bundle unchanged gets as far as the registry, so that the refusals above mean something', async () => {
  const files = write(join(folder, 'whole'), new Map(bundle.files));
  await assert.rejects(refusal(files, 'unchanged'), /accepted: unchanged/);
});
