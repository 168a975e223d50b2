/** Characters of one line; what is longer is no file that anybody meant to read by lines, and would only fill the memory. */
const MAX_CHARS = 64 * 1024 * 1024;

/**
 * The lines of a text that comes in pieces, as JSON lines have them: ended by `\n` or `\r\n` and by nothing else. (Node's readline also ends one at
 * U+2028 and U+2029, which JSON strings may hold as they are.) The last one needs no end. Throws RangeError for a line that is too long.
 */
export async function* textLines(pieces: AsyncIterable<string>, maxChars: number = MAX_CHARS): AsyncGenerator<string> {
  let begun = '';
  for await (const piece of pieces) {
    const lines = (begun + piece).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) yield withoutReturn(line);
    if (begun.length > maxChars) throw new RangeError(`a line is longer than ${maxChars} characters`);
  }
  if (begun !== '') yield withoutReturn(begun);
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
