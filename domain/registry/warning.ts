import { redact } from '../sync/redact.ts';

const warning = /^299 - "((?:[^"\\]|\\.)*)"$/;
// oxlint-disable-next-line no-control-regex -- what must not reach a terminal or a log
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
const maxLength = 300;

/**
 * What a registry wants people to know, out of its `Warning` headers: `299 - "text"` and nothing else, as the distribution
 * spec has it («Warnings»). Each text is one line of at most 300 characters, without what looks like a secret.
 */
export function registryWarnings(headers: readonly string[]): readonly string[] {
  return headers.flatMap((header) => {
    const quoted = warning.exec(header)?.[1] ?? '';
    const text = quoted.replaceAll(/\\(.)/g, '$1').replaceAll(control, ' ').trim();
    return text === '' ? [] : [redact(shortened(text))];
  });
}

function shortened(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength).toWellFormed()}…` : text;
}
