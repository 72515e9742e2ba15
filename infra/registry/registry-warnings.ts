import { registryWarnings } from '../../domain/registry/warning.ts';
import type { HttpAnswer } from './http-answer.ts';

/** Told what a registry wants people to know. */
export type OnRegistryWarning = (domain: string, text: string) => unknown;

const maxRemembered = 1000;

/** Tells each warning of each registry once, however many answers carry it. */
export class RegistryWarnings {
  readonly #tell: OnRegistryWarning | undefined;
  readonly #told = new Set<string>();

  /** Default: nobody is told. */
  constructor(tell?: OnRegistryWarning) {
    this.#tell = tell;
  }

  see(domain: string, answer: HttpAnswer): void {
    if (this.#tell === undefined || answer.header('warning') === undefined) return;
    for (const text of registryWarnings(answer.all('warning'))) {
      const key = `${domain} ${text}`;
      if (this.#told.has(key)) continue;
      if (this.#told.size >= maxRemembered) this.#told.clear();
      this.#told.add(key);
      this.#tell(domain, text);
    }
  }
}
