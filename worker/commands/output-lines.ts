/** Milliseconds for which lines are gathered where nobody watches them come. */
const gatherMs = 20;

/** Lines on stdout, many in one write: a thousand small writes cost as much as a thousand small requests. */
export class OutputLines {
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  print(line: string): void {
    this.#lines.push(line);
    if (process.stdout.isTTY) this.#flush();
    else if (this.#timer === undefined) this.#timer = setTimeout(() => this.#flush(), gatherMs);
  }

  #flush(): void {
    this.#timer = undefined;
    process.stdout.write(`${this.#lines.splice(0).join('\n')}\n`);
  }
}
