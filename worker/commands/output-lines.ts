/** Milliseconds for which lines are gathered where nobody watches them come. */
const gatherMs = 100;

/** Lines on stdout, many in one write: a thousand small writes cost as much as a thousand small requests. */
export class OutputLines {
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  print(line: string): void {
    this.#lines.push(line);
    if (process.stdout.isTTY) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  /** Prints what was gathered. At the end of a run, which would wait for the timer otherwise. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length > 0) process.stdout.write(`${this.#lines.splice(0).join('\n')}\n`);
  }
}
