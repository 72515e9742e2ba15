import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextPage, parseLinks } from '../../../domain/registry/link.ts';
import { refusal } from '../../support/refusal.ts';

const page = new URL('http://r.example:5000/v2/a/b/tags/list?n=100');
const next = (...headers: string[]): string | undefined => nextPage(headers, page)?.href;
const second = 'http://r.example:5000/v2/a/b/tags/list?n=100&last=x';

test('the next page is found in all the forms that registries use', () => {
  assert.equal(next('</v2/a/b/tags/list?n=100&last=x>; rel="next"'), second);
  assert.equal(next('</v2/a/b/tags/list?n=100&last=x>;rel=next'), second);
  assert.equal(next(`<${second}>; rel="next"`), second);
  assert.equal(next('<?n=100&last=x>; rel="next"'), second);
  assert.equal(
    next('</v2/a/b/tags/list?page=1>; rel="prev" , </v2/a/b/tags/list?n=100&last=x>; rel="next"'),
    second,
  );
  assert.equal(
    next(
      '</v2/a/b/tags/list?page=1>; rel="prev"',
      '</v2/a/b/tags/list?n=100&last=x>; title="a, b"; rel="last NEXT"',
    ),
    second,
  );
  assert.equal(next('/v2/a/b/tags/list?n=100&last=x; rel="next"'), second);
});

test('no next page: no header, or only other relations', () => {
  for (const header of [
    '',
    '</v2/a/b/tags/list?page=1>; rel="prev"',
    '</x>',
    '/v2/a/b/tags/list; rel="prev"',
  ]) {
    assert.equal(next(header), undefined);
  }
});

test('a link that leads elsewhere makes the listing incomplete', () => {
  for (const header of [
    '<http://r.example:5001/v2/a/b/tags/list?last=x>; rel="next"',
    '<https://r.example:5000/v2/a/b/tags/list?last=x>; rel="next"',
    '<//evil.example/v2/a/b/tags/list?last=x>; rel="next"',
    '<http://user:pw@r.example:5000/v2/a/b/tags/list?last=x>; rel="next"',
    '</v2/other/tags/list?last=x>; rel="next"',
    '<../../secret/tags/list?last=x>; rel="next"',
    '<http://[broken>; rel="next"',
    '<unclosed; rel="next"',
    '</x> garbage',
    `<${'x'.repeat(9000)}>; rel="next"`,
  ]) {
    refusal('ListingIncomplete', () => next(header));
  }
});

test('links print and parse back to themselves', () => {
  const links = [
    { target: '/a?b=c', relations: ['next', 'last'] },
    { target: 'http://x/y', relations: ['prev'] },
  ];
  const printed = links.map((link) => `<${link.target}>; rel="${link.relations.join(' ')}"`).join(', ');
  assert.deepEqual(parseLinks(printed), links);
});
