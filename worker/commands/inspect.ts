import { Failure } from '../../domain/failure.ts';
import { humanSize } from '../../domain/human-size.ts';
import { parseManifest } from '../../domain/image/manifest.ts';
import { printPlatform } from '../../domain/image/platform.ts';
import { describeImage } from '../../infra/copy/describe-image.ts';
import { runCommand } from './outcome.ts';
import { readPlace } from './place.ts';
import { Registries, type RegistryOptions } from './registries.ts';

/** `imageferry inspect`: resolves with the exit code. */
export function inspectCommand(image: string, options: RegistryOptions): Promise<number> {
  return runCommand(options.json, async (signal) => {
    const registries = new Registries(options);
    try {
      const facts = await inspect(registries, image, signal);
      console.log(options.json ? JSON.stringify(facts) : text(facts));
      return 0;
    } finally {
      await registries.clients.close();
    }
  });
}

interface Facts {
  readonly image: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly platforms: readonly string[];
  readonly architecture: string;
  readonly os: string;
  readonly size: string;
  readonly created?: string;
  readonly layers: readonly { readonly digest: string; readonly size: string }[];
  readonly attachments: readonly { readonly digest: string; readonly type: string }[];
}

async function inspect(registries: Registries, image: string, signal: AbortSignal): Promise<Facts> {
  const place = readPlace(image);
  const { store, resolve } = await place.open(registries, 'source');
  const root = await resolve(signal);
  if (root === undefined) throw new Failure('TagNotFound', { subject: image });
  const stored = await store.readManifest(root.digest, signal);
  const manifest = parseManifest({
    bytes: stored.bytes,
    contentType: stored.descriptor.mediaType,
    subject: image,
  });
  const [described, attachments] = await Promise.all([
    describeImage(store, root, signal),
    store.referrers(root.digest, signal),
  ]);
  return {
    image: place.print(root.digest),
    digest: root.digest,
    mediaType: manifest.mediaType,
    platforms: manifest.children.flatMap(({ platform }) =>
      platform === undefined ? [] : [printPlatform(platform)],
    ),
    ...described,
    attachments: attachments.map((each) => ({
      digest: each.digest,
      type: each.tag ?? each.artifactType ?? each.mediaType,
    })),
  };
}

function text(facts: Facts): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Image', facts.image],
    ['Type', facts.mediaType],
    ...(facts.platforms.length === 0 ? [] : [['Platforms', facts.platforms.join(', ')] as const]),
    [
      'Shown',
      `${facts.os}/${facts.architecture}, ${facts.size}${facts.created === undefined ? '' : `, made ${facts.created}`}`,
    ],
    ...facts.layers.map((layer) => ['Layer', `${layer.digest}  ${humanSize(Number(layer.size))}`] as const),
    ...facts.attachments.map((each) => ['Attached', `${each.digest}  ${each.type}`] as const),
  ];
  return rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n');
}
