import { Failure } from '../failure.ts';
import type { JsonValue } from '../image/strict-json.ts';
import { parseDigest, type Digest } from '../names/digest.ts';
import { SignedFields, type RefuseDocument } from '../trust/signed-fields.ts';
import { imagesInUse } from './pod-usage.ts';

/** What the Pods of a site without a network used at a time, as the site signs it. */
export interface SiteUsage {
  /** RFC 3339 UTC by the site's clock. */
  readonly observedAt: string;
  /** `host/path:tag`, written out; each once, in order. */
  readonly names: readonly string[];
  /** Each once, in order. */
  readonly digests: readonly Digest[];
}

/** Most that is told; it travels in a letter of at most 4 MiB. */
const most = 4000;
/** Characters of host, path and tag together; no registry takes more, so that a longer text is no image. */
const longestName = 700;

/** The usage that texts of Pods amount to. Throws `BundleTooLarge` beyond 4,000 names or digests: a part would say too little. */
export function siteUsage(texts: readonly string[], observedAt: string): SiteUsage {
  const inUse = imagesInUse(texts);
  const names = [...inUse.names].filter(({ length }) => length <= longestName).toSorted();
  const digests = [...inUse.digests].toSorted().map(parseDigest);
  if (Math.max(names.length, digests.length) > most)
    throw new Failure('BundleTooLarge', { detail: `the Pods use more than ${most} images` });
  return { observedAt, names, digests };
}

/** Texts that say the same to whoever reads what Pods write. */
export const usageTexts = ({ names, digests }: SiteUsage): readonly string[] => [...names, ...digests];

/** Reads the usage in a signed document. What is not in order is refused. */
export function parseSiteUsage(value: JsonValue | undefined, refuse: RefuseDocument): SiteUsage {
  const fields = new SignedFields(value, 'usage', ['observedAt', 'names', 'digests'], refuse);
  const digests = textsOf(fields, 'digests', refuse).map((text) =>
    text.startsWith('sha256:') ? parseDigest(text) : refuse('usage.digests holds something else'),
  );
  return { observedAt: fields.time('observedAt'), names: textsOf(fields, 'names', refuse), digests };
}

function textsOf(fields: SignedFields, name: string, refuse: RefuseDocument): readonly string[] {
  const list = fields.list(name, most);
  const texts = list.filter((text) => typeof text === 'string');
  if (texts.length < list.length) refuse(`usage.${name} holds something else`);
  const isOrdered = texts.every((text, at) => at === 0 || (texts[at - 1] ?? '') < text);
  return isOrdered ? texts : refuse(`usage.${name} is not in order`);
}
