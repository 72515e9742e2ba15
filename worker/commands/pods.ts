import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Failure } from '../../domain/failure.ts';
import { maxPodListBytes, parsePodList } from '../../domain/usage/pod-list.ts';
import { imageTexts } from '../../domain/usage/pod-usage.ts';
import { siteUsage, type SiteUsage } from '../../domain/usage/site-usage.ts';
import { mediaFailure } from '../../infra/disk/media-failure.ts';

/**
 * What the Pods use that a file lists, as `kubectl get pods -A -o json` printed it; `-` is what is handed over right now.
 * A file was seen when it was last written. Throws `UsageUnknown` where it is no such list.
 */
export async function readPods(path: string): Promise<SiteUsage> {
  const isPiped = path === '-';
  try {
    const seen = isPiped ? new Date() : (await stat(path)).mtime;
    const bytes = await whole(isPiped ? process.stdin : createReadStream(path));
    const observed = new Date(Math.min(seen.getTime(), Date.now()));
    return siteUsage(imageTexts(parsePodList(bytes)), observed.toISOString());
  } catch (error) {
    throw mediaFailure(error, path);
  }
}

async function whole(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxPodListBytes)
      throw new Failure('UsageUnknown', { subject: 'Pods', detail: `more than ${maxPodListBytes} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
