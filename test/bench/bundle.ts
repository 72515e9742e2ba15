import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseTag } from '../../domain/names/tag.ts';
import { RegistryClients } from '../../infra/registry/registry-client.ts';
import { startS3Process } from '../support/s3-process.ts';
import { sourceOf, type Bench, type Case } from './bench-case.ts';
import { Hub, site, tags } from './bundle-hub.ts';
import { storeAlone, Turns } from './bundle-turns.ts';
import { incomplete, openRepository } from './ground.ts';
import { measure, type Measured } from './measure.ts';
import type { CaseResult } from './result.ts';
import { seedTwentyImages } from './seed.ts';
import { ours, type Place } from './sides.ts';
import { sizeOf, watchDisk } from './watch-disk.ts';

/** A peer's way out to a medium and in again, image by image: none takes twenty in one call. */
interface Peer {
  readonly name: string;
  readonly out: (medium: string, from: Place, tag: string) => readonly string[];
  readonly back: (medium: string, to: Place, tag: string) => readonly string[];
}

function peersOf({ peers }: Bench): readonly Peer[] {
  const { skopeo, oras } = peers;
  const at = (place: Place, tag: string): string => `${place.domain}/${place.path}:${tag}`;
  const through = (name: string, medium: (folder: string, tag: string) => string): Peer => ({
    name: `skopeo ${name}`,
    out: (folder, from, tag) =>
      `${skopeo} copy -q --all --src-tls-verify=false docker://${at(from, tag)} ${medium(folder, tag)}`.split(
        ' ',
      ),
    back: (folder, to, tag) =>
      `${skopeo} copy -q --all --dest-tls-verify=false ${medium(folder, tag)} docker://${at(to, tag)}`.split(
        ' ',
      ),
  });
  return [
    ...(skopeo === undefined
      ? []
      : [
          through('dir:', (folder, tag) => `dir:${folder}/${tag}`),
          through('oci-archive:', (folder, tag) => `oci-archive:${folder}/${tag}.tar:${tag}`),
        ]),
    {
      name: 'oras layout',
      out: (folder, from, tag) =>
        `${oras} cp --no-tty --from-plain-http ${at(from, tag)} --to-oci-layout ${folder}/layout:${tag}`.split(
          ' ',
        ),
      back: (folder, to, tag) =>
        `${oras} cp --no-tty --from-oci-layout ${folder}/layout:${tag} --to-plain-http ${at(to, tag)}`.split(
          ' ',
        ),
    },
  ];
}

async function bundle(bench: Bench): Promise<CaseResult[]> {
  const [before, after] = [sourceOf(bench, 'twenty/apps'), sourceOf(bench, 'next/apps')];
  await seedTwentyImages(before.domain, before.path, 0);
  await seedTwentyImages(after.domain, after.path, 1);
  const s3 = await startS3Process();
  try {
    const hub = new Hub(bench, s3);
    const turns = new Turns();
    for (let turn = 0; turn < bench.repetitions; turn += 1)
      await oneTurn(bench, hub, { before, after }, turns);
    return turns.results();
  } finally {
    await s3.stop();
  }
}

interface Releases {
  readonly before: Place;
  readonly after: Place;
}

async function oneTurn(bench: Bench, hub: Hub, { before, after }: Releases, turns: Turns): Promise<void> {
  await hub.forget();
  const media = join(bench.ground.folder, 'media');
  mkdirSync(media, { recursive: true });
  const edge = { domain: (await bench.ground.freshTarget()).domain, path: 'twenty/apps' };
  const state = join(bench.ground.folder, `state-${Math.random()}`);
  const pinned = ours(bench.ground.folder, 'trust', 'pin', hub.rootPath, '--site', site, '--state', state);
  await measure(pinned.argv, { env: pinned.env ?? {} });

  const first = await hub.stage(before, 1);
  turns.add('stage', 'imageferry', first.taken);
  turns.note('scratch', first.scratch);
  await ourWay(bench, hub, { sequence: 1, media, state, edge, turns, part: 'release' });
  turns.flaw('import', await incomplete(before, edge));
  const bare = await hub.put(join(media, 'bundle-1', 'blobs', 'sha256'));
  turns.add(storeAlone, 'imageferry', bare);

  const link = await bench.ground.link(before.domain);
  const other = await hub.stage(before, 1, { site: 'other' }, link.domain);
  turns.note('second', link.received + other.staged.moved);

  const base = { sequence: 1, digest: first.staged.digest };
  const delta = await hub.stage(after, 2, { base, previous: base });
  turns.add('stage next', 'imageferry', delta.taken);
  turns.note('extra', delta.staged.bytes.carried - (await changedBytes(before, after)));
  await ourWay(bench, hub, { sequence: 2, media, state, edge, turns, part: 'next' });
  turns.flaw('import next', await incomplete(after, edge));
  await bench.ground.sweep();
  for (const peer of peersOf(bench)) await peerTurn(bench, peer, { before, after }, media, turns);
}

interface OurStep {
  readonly sequence: number;
  readonly media: string;
  readonly state: string;
  readonly edge: Place;
  readonly turns: Turns;
  readonly part: 'release' | 'next';
}

async function ourWay(bench: Bench, hub: Hub, step: OurStep): Promise<void> {
  const { sequence, media, state, edge, turns, part } = step;
  const to = join(media, `bundle-${sequence}`);
  rmSync(to, { recursive: true, force: true });
  const suffix = part === 'next' ? ' next' : '';
  const fetch = ours(
    bench.ground.folder,
    'bundle',
    'fetch',
    site,
    `${sequence}`,
    '--root',
    hub.rootPath,
    '--to',
    to,
  );
  const disk = watchDisk([to, `${to}.partial`]);
  turns.add(
    `fetch${suffix}`,
    'imageferry',
    await measure(fetch.argv, { env: { ...fetch.env, ...hub.env() } }),
  );
  turns.disk(`stage${suffix}`, 'imageferry', disk(), sizeOf(to));
  const bring = ours(
    bench.ground.folder,
    'bundle',
    'import',
    to,
    '--registry',
    edge.domain,
    '--state',
    state,
    '-q',
  );
  turns.add(`import${suffix}`, 'imageferry', await measure(bring.argv, { env: bring.env ?? {} }));
}

/** The release, then the next one: a peer knows nothing of what the site has and carries all of it again. */
async function peerTurn(
  bench: Bench,
  peer: Peer,
  { before, after }: Releases,
  media: string,
  turns: Turns,
): Promise<void> {
  const edge = { domain: (await bench.ground.freshTarget()).domain, path: 'twenty/apps' };
  for (const [suffix, from] of [
    ['', before],
    [' next', after],
  ] as const) {
    const [folder, temporary] = [join(media, 'peer'), join(media, 'tmp')];
    for (const path of [folder, temporary]) {
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path, { recursive: true });
    }
    const env = { TMPDIR: temporary, CONTAINERS_IMAGE_TMPDIR: temporary };
    const disk = watchDisk([folder, temporary]);
    turns.add(
      `stage${suffix}`,
      peer.name,
      await inTurn(
        tags.map((tag) => peer.out(folder, from, tag)),
        env,
      ),
    );
    turns.disk(`stage${suffix}`, peer.name, disk(), sizeOf(folder));
    turns.add(
      `import${suffix}`,
      peer.name,
      await inTurn(
        tags.map((tag) => peer.back(folder, edge, tag)),
        env,
      ),
    );
    const flaw = await incomplete(from, edge);
    if (flaw !== undefined) throw new Error(`${peer.name}: ${flaw}`);
  }
  await bench.ground.sweep();
}

/** Runs commands one after the other as one program. */
async function inTurn(
  commands: readonly (readonly string[])[],
  env: Record<string, string>,
): Promise<Measured> {
  const lines = commands.map((argv) => argv.join(' '));
  const measured = await measure(['bash', '-e', '-c', lines.join('\n')], { env });
  if (measured.exitCode !== 0) throw new Error(measured.output.slice(-500));
  return measured;
}

/** Bytes of everything that the next release has and the first has not, manifests included. */
async function changedBytes(before: Place, after: Place): Promise<number> {
  const [old, next] = await Promise.all([contentOf(before), contentOf(after)]);
  return [...next].reduce((sum, [digest, size]) => (old.has(digest) ? sum : sum + size), 0);
}

async function contentOf(place: Place): Promise<Map<string, number>> {
  const clients = new RegistryClients();
  const content = new Map<string, number>();
  try {
    const store = openRepository(clients, place.domain, place.path);
    for (const tag of tags) {
      const root = await store.resolve(parseTag(tag));
      if (root === undefined) continue;
      const { bytes } = await store.readManifest(root.digest);
      content.set(root.digest, root.size);
      const { config, layers } = JSON.parse(Buffer.from(bytes).toString()) as {
        config: { digest: string; size: number };
        layers: { digest: string; size: number }[];
      };
      for (const { digest, size } of [config, ...layers]) content.set(digest, size);
    }
    return content;
  } finally {
    await clients.close();
  }
}

/** Bundles beside what others do for sites without a network. */
export const bundleCase: Case = { name: 'bundle', run: bundle };
