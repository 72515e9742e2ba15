/** How far one copy is, and which of how many it is. */
export interface CopyPosition {
  /** Copies of the same sync that were finished or under way before this one. */
  readonly before: number;
  /** Copies in all, at least 1. */
  readonly of: number;
  /** Copies that go on together as this one. Default: 1. */
  readonly together?: number;
}

/** Bytes of one copy. */
export interface Bytes {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** The percent of the whole sync, 0 to 99: a hundred is only said once everything was read back. */
export function syncPercent(position: CopyPosition, { doneBytes, totalBytes }: Bytes): number {
  const share = totalBytes <= 0 ? 0 : Math.min(1, doneBytes / totalBytes);
  return Math.min(
    99,
    Math.floor(((position.before + share * (position.together ?? 1)) / Math.max(1, position.of)) * 100),
  );
}

/** The percent in a `syncProgress` text; 0 for anything else. */
export function parsePercent(text: string | undefined): number {
  const match = /^(\d{1,3})%$/.exec(text ?? '');
  return match === null ? 0 : Number(match[1]);
}
