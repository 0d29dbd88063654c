import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { verifies } from '../../../test/requirements.ts';
import { html, renderPage } from './html-page.ts';

describe('html', () => {
  it('escapes whatever is put in', () => {
    verifies('T3.8');
    const evil = `"><script>alert('1')</script>&\``;
    assert.equal(
      html`<p title="${evil}">${evil}</p>`.toString(),
      '<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&#96;">' +
        '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&#96;</p>',
    );
  });

  it('does not escape twice what it made, takes lists, and leaves out nothing-values', () => {
    const items = ['a<b', 'c'].map((item) => html`<li>${item}</li>`);
    assert.equal(
      html`<ul>${items}</ul>${null}${undefined}${5}`.toString(),
      '<ul><li>a&lt;b</li><li>c</li></ul>5',
    );
  });

  it('trusts no object that looks like its own', () => {
    const forged = { toString: () => '<script>' } as unknown as string;
    assert.equal(html`${forged}`.toString(), '&lt;script&gt;');
  });

  it('never lets a value open a tag or close an attribute', () => {
    verifies('T3.8');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const made = html`<a b="${text}">${text}</a>`.toString();
        assert.equal(made.match(/</g)?.length, 2);
        assert.equal(made.match(/"/g)?.length, 2);
      }),
    );
  });
});

describe('a page', () => {
  it('runs nothing, loads nothing, is not framed, cached or leaked', () => {
    verifies('T3.12');
    const style = 'body{margin:0}';
    const page = renderPage({ title: 'Sign <in>', style, body: html`<main>hello</main>` });
    const hash = createHash('sha256').update(style).digest('base64');
    assert.equal(
      page.headers['content-security-policy'],
      `default-src 'none'; style-src 'sha256-${hash}'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    );
    assert.equal(page.headers['cache-control'], 'no-store');
    assert.equal(page.headers['referrer-policy'], 'no-referrer');
    assert.equal(page.headers['x-content-type-options'], 'nosniff');
    assert.match(page.html, /^<!doctype html><html lang="en">/);
    assert.match(page.html, /<title>Sign &lt;in&gt;<\/title><style>body\{margin:0\}<\/style>/);
  });

  it('takes no style sheet that could end its element', () => {
    assert.throws(() => renderPage({ title: 'x', style: '</style><script>', body: html`` }), TypeError);
  });
});
