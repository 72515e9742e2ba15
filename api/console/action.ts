import type { Markup } from './markup.ts';
import type { Viewer } from './viewer.ts';

/** What a button does: takes the form that was sent, calls the API, and says what became of it. */
export type Action = (viewer: Viewer, form: URLSearchParams) => Promise<Markup>;
