import assert from 'node:assert/strict';
import { test } from 'node:test';
import { html } from '../src/html.ts';

test('what is inserted is text, whatever it looks like', () => {
  const evil = '"><script>alert(1)</script>&';
  const { html: text } = html`<p title="${evil}">${evil}</p>`;
  assert.equal(
    text,
    `<p title="${'&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;'}">&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;</p>`,
  );
});

test('HTML is inserted as it is, also in lists, and nothing is nothing', () => {
  assert.equal(html`${html`<b>${'&'}</b>`}${[html`<i>`, html`</i>`]}${undefined}${3}`.html, '<b>&amp;</b><i></i>3');
});
