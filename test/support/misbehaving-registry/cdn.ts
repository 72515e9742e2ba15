import { Double } from './double.ts';
import type { Answer, Exchange } from './exchange.ts';

/** A storage host that registries redirect downloads to. Like S3, it refuses a signed address with an Authorization. */
export class Cdn extends Double {
  readonly objects = new Map<string, Uint8Array>();

  /** Puts an object and returns its presigned address. */
  put(name: string, bytes: Uint8Array): string {
    this.objects.set(`/${name}`, bytes);
    return `${this.origin}/${name}?X-Amz-Signature=presigned`;
  }

  protected override async respond(exchange: Exchange): Promise<Answer> {
    await exchange.body();
    if (exchange.header('authorization') !== undefined)
      return { status: 400, body: '<Error><Code>InvalidArgument</Code></Error>' };
    const bytes = this.objects.get(exchange.url.pathname);
    if (bytes === undefined) return { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' };
    const range = /^bytes=(\d+)-(\d*)$/.exec(exchange.header('range') ?? '');
    if (range === null) return { status: 200, body: bytes };
    const first = Number(range[1]);
    const last = range[2] === '' ? bytes.byteLength - 1 : Math.min(Number(range[2]), bytes.byteLength - 1);
    const headers = { 'content-range': `bytes ${first}-${last}/${bytes.byteLength}` };
    return { status: 206, headers, body: bytes.subarray(first, last + 1) };
  }
}
