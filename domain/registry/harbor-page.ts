import { Failure } from '../failure.ts';
import { isJsonArray, isJsonObject, parseStrictJson, type JsonValue } from '../image/strict-json.ts';
import { parseDigest, type Digest } from '../names/digest.ts';

/** An artifact of Harbor, as far as it is asked for. */
export interface HarborArtifact {
  readonly digest: Digest;
  /** Epoch milliseconds of its last pull. Default: it was never pulled (Harbor writes the year 1). */
  readonly pulled?: number;
}

/** Most bytes of one page of 100 artifacts. */
export const maxHarborPageBytes = 8 * 1024 * 1024;

/** Reads one page of `…/artifacts`. Throws `UnexpectedResponse` for anything else. */
export function parseHarborArtifacts(body: Uint8Array): readonly HarborArtifact[] {
  const value = parseStrictJson(body, {
    code: 'UnexpectedResponse',
    maxBytes: maxHarborPageBytes,
    maxDepth: 16,
  });
  if (!isJsonArray(value)) return refuse('not a list of artifacts');
  return value.map(parseArtifact);
}

function parseArtifact(value: JsonValue): HarborArtifact {
  if (!isJsonObject(value)) return refuse('an artifact is no object');
  const { digest, pull_time: pullTime } = value;
  if (typeof digest !== 'string' || typeof pullTime !== 'string') return refuse('an artifact lacks a field');
  const time = Date.parse(pullTime);
  if (Number.isNaN(time)) return refuse('pull_time is no time');
  const parsed = parseDigest(digest);
  return time <= 0 ? { digest: parsed } : { digest: parsed, pulled: time };
}

/** The two parts of a repository's name in Harbor: project, and the rest with its slashes encoded twice. */
export function harborName(
  path: string,
): { readonly project: string; readonly repository: string } | undefined {
  const slash = path.indexOf('/');
  if (slash <= 0) return undefined;
  const repository = encodeURIComponent(encodeURIComponent(path.slice(slash + 1)));
  return { project: encodeURIComponent(path.slice(0, slash)), repository };
}

function refuse(detail: string): never {
  throw new Failure('UnexpectedResponse', { detail: `Harbor: ${detail}` });
}
