import type { Language } from './status.ts';

/** Where one pair of sentences ends and another begins: after Chinese, a full stop of English. */
const nextPair = /(?<=[\u3000-\u9fff][^.]*)\. (?=[A-Z])/;
const pair = /^([^\u4e00-\u9fff]*) \/ (?=[^/]*[\u4e00-\u9fff])(.*)$/s;

/**
 * A message of a condition, in one language. Conditions and Events have one text for all readers, English and Chinese with
 * ` / ` between; what it names in brackets, such as the image, is there in English only and is kept. A text of another form,
 * such as a user's own, is left as it is.
 */
export function inLanguage(message: string, language: Language): string {
  return message
    .split(nextPair)
    .map((part) => chosen(part, language))
    .join(language === 'en' ? '. ' : '。');
}

function chosen(text: string, language: Language): string {
  const [, en, zh] = pair.exec(text) ?? [];
  if (en === undefined || zh === undefined) return text;
  if (language === 'en') return en;
  const named = /^[^(]*\((.*)\)$/s.exec(en)?.[1];
  return named === undefined || zh.includes('（') ? zh : `${zh}（${named}）`;
}
