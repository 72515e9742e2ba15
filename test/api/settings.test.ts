import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from '../../api/settings.ts';

const needed = { S3_BUCKET: 'imageferry' };

test("where Temporal's UI is has to be a web page, as others have no origin to let in", () => {
  for (const name of ['TEMPORAL_UI', 'CODEC_ORIGIN']) {
    for (const wrong of ['temporal:8233', 'data:text/html,x', 'null', 'temporal.example'])
      assert.throws(
        () => parseSettings({ ...needed, [name]: wrong }),
        new RegExp(`^Error: wrong settings: ${name}: `),
        wrong,
      );
    for (const right of ['https://temporal.example', 'http://127.0.0.1:8233/ui'])
      assert.equal(parseSettings({ ...needed, [name]: right })[name as 'TEMPORAL_UI'], right);
  }
});
