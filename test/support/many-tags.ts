import { setTimeout as sleep } from 'node:timers/promises';
import { demoRegistry } from '../../infra/local/demo/registry.ts';
import type { Image } from '../../infra/local/demo/image.ts';
import type { RegistryEndpoint } from '../../infra/local/endpoints.ts';
import { inWindow } from '../../domain/in-window.ts';
import { madeImage } from './made-image.ts';

/** Puts `count` tags of few small images into a repository, many at a time. The tags, and each one's digest. */
export async function seedTags(
  registry: RegistryEndpoint,
  path: string,
  count: number,
): Promise<ReadonlyMap<string, string>> {
  const images = Array.from({ length: 5 }, (_, index) => madeImage([200 + index]));
  const demo = demoRegistry(registry);
  for (const [index, image] of images.entries()) await demo.push(path, `seed-${index}`, image);
  const tags = Array.from({ length: count }, (_, index) => ({
    tag: `v1.${Math.floor(index / 100)}.${index % 100}`,
    image: images[index % images.length] as Image,
  }));
  await inWindow(tags, 16, ({ tag, image }) => putTag(registry, path, tag, image));
  return new Map(tags.map(({ tag, image }) => [tag, image.index.digest]));
}

async function putTag(
  { domain, username, password }: RegistryEndpoint,
  path: string,
  tag: string,
  { index }: Image,
): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const headers = { authorization, 'content-type': index.mediaType };
  for (let tries = 1; ; tries += 1) {
    const body = new Uint8Array(index.bytes);
    const answer = await fetch(`http://${domain}/v2/${path}/manifests/${tag}`, {
      method: 'PUT',
      headers,
      body,
    });
    await answer.arrayBuffer();
    if (answer.status === 201) return;
    if (tries > 5) throw new Error(`PUT ${path}:${tag} answered ${answer.status}`);
    await sleep(200 * tries);
  }
}
