import { Failure } from '../../domain/failure.ts';

const maxLineBytes = 4096;

/** Takes the framing off a chunked body (RFC 9112, 7.1), however it is cut into pieces. */
export class ChunkedDecoder {
  /** Whether the last chunk and the trailer were seen. */
  done = false;
  #state: 'size' | 'data' | 'gap' | 'trailer' = 'size';
  #line = '';
  #left = 0;

  /** Hands the content of `bytes` on. Throws `UnexpectedResponse` for anything malformed. */
  push(bytes: Buffer, emit: (part: Buffer) => void): void {
    for (let at = 0; at < bytes.byteLength;) {
      if (this.done) throw malformed();
      if (this.#state === 'data') {
        const end = Math.min(bytes.byteLength, at + this.#left);
        emit(bytes.subarray(at, end));
        this.#left -= end - at;
        if (this.#left === 0) this.#state = 'gap';
        at = end;
      } else at = this.#readLine(bytes, at);
    }
  }

  #readLine(bytes: Buffer, at: number): number {
    const feed = bytes.indexOf(0x0a, at);
    const end = feed < 0 ? bytes.byteLength : feed;
    this.#line += bytes.toString('latin1', at, end);
    if (this.#line.length > maxLineBytes) throw malformed();
    if (feed < 0) return end;
    if (!this.#line.endsWith('\r')) throw malformed();
    const line = this.#line.slice(0, -1);
    this.#line = '';
    this.#takeLine(line);
    return feed + 1;
  }

  #takeLine(line: string): void {
    if (this.#state === 'trailer') this.done = line === '';
    else if (this.#state === 'gap') {
      if (line !== '') throw malformed();
      this.#state = 'size';
    } else {
      const size = /^([0-9a-f]{1,13})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw malformed();
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'data';
    }
  }
}

function malformed(): Failure {
  return new Failure('UnexpectedResponse', { detail: 'a malformed chunk' });
}
