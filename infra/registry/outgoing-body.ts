import type { Socket } from 'node:net';

/** What a kernel may hold of a connection's output (Linux, `tcp_wmem`), in bytes. */
const kernelBytes = 4 * 1024 * 1024;

/** The body of one request on its way out, piece by piece, from the caller's buffers. The head goes with the first piece. */
export class OutgoingBody {
  readonly #socket: Socket;
  readonly #length: number;
  #head: string;
  #unwritten: number;
  /** Pieces that have not left the process yet. */
  #open = 0;
  /** When the first piece went out, on the monotonic clock. */
  #began = 0;

  constructor(socket: Socket, head: string, length: number) {
    this.#socket = socket;
    this.#head = head;
    this.#length = this.#unwritten = length;
  }

  /** Whether bytes are to go out now: nobody waits for the other side while there is nothing to write. */
  get isWriting(): boolean {
    return this.#open > 0;
  }

  /** Whether bytes of it are still to be written. */
  get isPartial(): boolean {
    return this.#unwritten > 0;
  }

  /** Resolves when the piece has left the process. */
  write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#unwritten -= chunk.byteLength;
      this.#open += 1;
      const head = this.#head;
      this.#head = '';
      if (head !== '') {
        this.#began = performance.now();
        this.#socket.cork();
        this.#socket.write(head, 'latin1');
      }
      this.#socket.write(chunk, (error) => {
        this.#open -= 1;
        if (error !== undefined && error !== null) reject(error);
        else resolve();
      });
      if (head !== '') this.#socket.uncork();
    });
  }

  /** Milliseconds in which what the kernel still holds of it goes out, if it goes as slowly as the rest did. */
  drainMs(): number {
    return Math.min(1, kernelBytes / this.#length) * (performance.now() - this.#began);
  }
}
