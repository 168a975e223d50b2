import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textLines } from '../../src/platform/text-lines.ts';

async function linesOf(pieces: readonly string[], maxChars?: number): Promise<readonly string[]> {
  async function* given() {
    yield* pieces;
  }
  const lines: string[] = [];
  for await (const line of textLines(given(), maxChars)) lines.push(line);
  return lines;
}

test('a line ends at a line feed and at nothing else, wherever the pieces end', async () => {
  assert.deepEqual(await linesOf(['a\u2028b\u2029c\u0085d\re', '\r', '\nf\n\ng']), [
    'a\u2028b\u2029c\u0085d\re',
    'f',
    '',
    'g',
  ]);
  assert.deepEqual(await linesOf(['a', 'b', '\n', 'c\r\n']), ['ab', 'c']);
  assert.deepEqual(await linesOf([]), []);
});

test('a line that never ends does not fill the memory', async () => {
  assert.deepEqual(await linesOf(['abcd', '\nefgh\n'], 4), ['abcd', 'efgh']);
  await assert.rejects(linesOf(['abc', 'de', 'fg'], 4), RangeError);
});
