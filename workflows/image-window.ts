import type { Survey, SurveyedImage } from '../domain/sync/survey.ts';

/** Finds the page that follows a tag. */
export type NextPage = (after: string) => Promise<Survey>;

/**
 * The images of a run that were looked at and not yet brought: a window that slides over the pages. The next page is
 * asked for when the window runs low, so that no lane waits for the slowest copy of a page.
 */
export class ImageWindow {
  readonly #low: number;
  readonly #nextPage: NextPage;
  readonly #waiting: SurveyedImage[] = [];
  #next: string | undefined;
  #refill: Promise<void> | undefined;

  /** `low`: how few images may wait before the next page is asked for. */
  constructor(low: number, nextPage: NextPage) {
    this.#low = low;
    this.#nextPage = nextPage;
  }

  /** Where a new run goes on; undefined where everything was looked at. */
  get next(): string | undefined {
    return this.#next;
  }

  add({ images, next }: Survey): void {
    this.#waiting.push(...images);
    this.#next = next;
  }

  /** The next image; undefined at the end, or where `isLong` says that this run has had enough. */
  async take(isLong: () => boolean): Promise<SurveyedImage | undefined> {
    for (;;) {
      const goesOn = this.#next !== undefined && !isLong();
      if (this.#waiting.length <= this.#low && goesOn) this.#refill ??= this.#fill();
      const image = this.#waiting.shift();
      if (image !== undefined || this.#refill === undefined) return image;
      await this.#refill;
    }
  }

  async #fill(): Promise<void> {
    try {
      if (this.#next !== undefined) this.add(await this.#nextPage(this.#next));
    } finally {
      this.#refill = undefined;
    }
  }
}
