import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inLanguage } from '../../../domain/api/reader-words.ts';
import { explain } from '../../../domain/sync/failure-facts.ts';
import { failureCatalogue } from '../../../domain/failure-catalogue.ts';
import { isFailureCode } from '../../../domain/failure.ts';

test('a message of two languages is read in one', () => {
  assert.equal(inLanguage('Connected / 连接成功', 'en'), 'Connected');
  assert.equal(inLanguage('Connected / 连接成功', 'zh'), '连接成功');
  const copied =
    'Synced sha256:12 to edge: 27MB moved, 0B reused in 1s / 已同步 sha256:12 到 edge：传输 27MB，用时 1 秒';
  assert.equal(inLanguage(copied, 'en'), 'Synced sha256:12 to edge: 27MB moved, 0B reused in 1s');
  assert.equal(inLanguage(copied, 'zh'), '已同步 sha256:12 到 edge：传输 27MB，用时 1 秒');
});

test('every failure keeps in both languages what it names', () => {
  for (const code of Object.keys(failureCatalogue).filter(isFailureCode)) {
    const message = explain({ code, subject: 'r.example:5000/a/b:v1', detail: 'HTTP 503 (no body)' });
    const { en, zh } = failureCatalogue[code];
    assert.equal(inLanguage(message, 'en'), `${en} (r.example:5000/a/b:v1; HTTP 503 (no body))`);
    assert.equal(inLanguage(message, 'zh'), `${zh}（r.example:5000/a/b:v1; HTTP 503 (no body)）`);
    assert.equal(inLanguage(explain({ code }), 'zh'), zh);
  }
});

test('advice after a verdict is read in the same language', () => {
  const message = 'Connected / 连接成功. Set gcSettleSeconds: 0 for never / 请设置 gcSettleSeconds';
  assert.equal(inLanguage(message, 'en'), 'Connected. Set gcSettleSeconds: 0 for never');
  assert.equal(inLanguage(message, 'zh'), '连接成功。请设置 gcSettleSeconds');
});

test('a text of one language is left as it is', () => {
  for (const text of ['', 'a / b', '前端 / 后端', 'Everything the site should have', 'x (y). Z'])
    assert.equal(inLanguage(text, 'en'), text);
});
