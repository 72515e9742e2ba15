import { Failure } from '../../domain/failure.ts';
import { parseStrictJson } from '../../domain/image/strict-json.ts';

/** Largest body of a call, in bytes. */
export const maximumBody = 1_048_576;
/** Deepest nesting of a body. Our objects need about ten. */
const maximumDepth = 32;

/** What a route takes as its body. */
export interface BodyRule {
  readonly optional?: boolean;
  readonly contentTypes?: readonly string[];
  /** Largest body, in bytes. Default: {@link maximumBody}. */
  readonly maxBytes?: number;
}

/**
 * Reads a body by fault P10: of a declared type, not compressed, at most so many bytes however it is sent, strict
 * JSON. Anything but JSON comes back as text. Throws `UnsupportedContentType`, `PayloadTooLarge` or `InvalidRequest`.
 */
export async function readBody(request: Request, rule: BodyRule): Promise<unknown> {
  const encoding = request.headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new Failure('UnsupportedContentType', { side: 'caller', detail: 'send the body uncompressed' });
  }
  const most = rule.maxBytes ?? maximumBody;
  const bytes = await readLimited(request, most);
  if (bytes.length === 0 && rule.optional === true) return {};
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const allowed = rule.contentTypes ?? ['application/json'];
  if (!allowed.includes(type)) {
    throw new Failure('UnsupportedContentType', { side: 'caller', detail: `send ${allowed.join(' or ')}` });
  }
  if (type === 'application/json' || type === 'application/merge-patch+json') {
    return parseStrictJson(bytes, {
      code: 'InvalidRequest',
      subject: 'body',
      maxBytes: most,
      maxDepth: maximumDepth,
    });
  }
  return decode(bytes);
}

async function readLimited(request: Request, most: number): Promise<Uint8Array> {
  const tooLarge = () => new Failure('PayloadTooLarge', { side: 'caller', detail: `at most ${most} bytes` });
  if (Number(request.headers.get('content-length') ?? '0') > most) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of request.body) {
    total += chunk.length;
    if (total > most) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, total);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Failure('InvalidRequest', { side: 'caller', detail: 'the body is not UTF-8' });
  }
}
