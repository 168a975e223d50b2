import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_TARGET_CHARS, readRequestPath } from '../../../src/domain/gateway/request-path.ts';

const segmentsOf = (target: string) => {
  const read = readRequestPath(target);
  return read.kind === 'path' ? read.segments : read.problem;
};

test('a path is its segments, decoded; the query is no part of it', () => {
  assert.deepEqual(segmentsOf('/'), ['']);
  assert.deepEqual(segmentsOf('/documents/42'), ['documents', '42']);
  assert.deepEqual(segmentsOf('/documents/42/?a=/../b;c#d'), ['documents', '42', '']);
  assert.deepEqual(segmentsOf('/a%20b/gr%C3%BCn/x@y:z,1+2=3'), ['a b', 'grün', 'x@y:z,1+2=3']);
  assert.deepEqual(segmentsOf('/.hidden/a..b/...'), ['.hidden', 'a..b', '...']);
});

test('what two servers are known to read differently is refused, not cleaned up', () => {
  for (const target of [
    '',
    '*',
    'documents',
    'http://example.com/documents',
    '//documents',
    '/a//b',
    '/a/./b',
    '/a/../b',
    '/..',
    '/a/..;/admin',
    '/a;x=1/b',
    '/a\\b',
    '/a/%2e%2e/b',
    '/a/%2E/b',
    '/a/.%2e/b',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a%3bb',
    '/a%252fb',
    '/a%3fb',
    '/a%23b',
    '/a%00b',
    '/a%0ab',
    '/a%7fb',
    '/a%C2%85b',
    '/%61dmin',
    '/%41dmin',
    '/adm%69n',
    '/user%2d1',
    '/user%5f1',
    '/%7euser',
    '/%31',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a%C3',
    '/a%C0%AF',
    '/a%ED%A0%80',
    '/grün',
    '/a b',
    '/a\tb',
    '/a\r\nb',
    '/a#b',
    '/a"b',
    '/a<b',
    '/a{b}',
    '/a|b',
    '/a^b',
    '/a`b',
  ]) {
    assert.equal(readRequestPath(target).kind, 'refused', target);
  }
  assert.equal(readRequestPath(`/${'a'.repeat(MAX_TARGET_CHARS - 1)}`).kind, 'path');
  assert.equal(readRequestPath(`/?${'a'.repeat(MAX_TARGET_CHARS - 1)}`).kind, 'refused');
});

test('no two spellings of what is served are accepted: the segments encode to the path again', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    ';',
    '%',
    '%2e',
    '%2F',
    '%25',
    '%61',
    '%20',
    '%C3%BC',
    'a',
    'A',
    '~',
    '\\',
    'ü',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const target = `/${pieces.join('')}`;
      const read = readRequestPath(target);
      if (read.kind === 'refused') return;
      const again = `/${read.segments.map(encodeURIComponent).join('/')}`;
      assert.equal(again.toLowerCase(), target.toLowerCase());
      assert.ok(read.segments.every((segment) => !/[/\\;%?#]/.test(segment)));
      // What a URL parser makes of it is the same path.
      assert.equal(new URL(target, 'http://host').pathname, target);
    }),
    { numRuns: 5000 },
  );
});
