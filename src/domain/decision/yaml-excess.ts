import { CST, Lexer } from 'yaml';

// What the YAML parser is spared: it calls itself for every level, and takes time with the square of some counts. The lexer is
// linear and hands out one token at a time, so what is too much is found before anything is parsed.

export const MAX_YAML_BYTES = 256 * 1024;
const MAX_LINES = 20_000;
/** About 16,000 values. */
const MAX_TOKENS = 80_000;
const MAX_NESTING = 16;
/** Anchors, tags and aliases, none of which a policy may have; the parser takes long over many in a row. */
const MAX_MARKS = 100;
/** Characters given by number, and escapes that YAML does not know: the parser makes an error with its stack for each that is wrong. */
const MAX_ESCAPES = 1000;
const ESCAPE = /\\[\s\S]/g;
const PLAIN_ESCAPES = new Set('0abt\tnvfre "/\\N_LP\r\n');

/** Where a text is larger, or nests deeper, than a policy may; lines count from 1. */
export function yamlExcess(text: string): { readonly line: number; readonly message: string } | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_YAML_BYTES) {
    return { line: 1, message: `must be at most ${MAX_YAML_BYTES} bytes as YAML, was ${bytes}` };
  }
  const lines = text.split(/\r\n?|\n/, MAX_LINES + 1).length;
  if (lines > MAX_LINES) return { line: MAX_LINES, message: `must be at most ${MAX_LINES} lines` };
  return tokenExcess(text);
}

function tokenExcess(text: string): { readonly line: number; readonly message: string } | undefined {
  /** Columns at which the lines begin that a line may be inside of. */
  const indents: number[] = [];
  let [line, tokens, flows, markers] = [1, 0, 0, 0];
  let [marks, escapes] = [0, 0];
  let isLineBegin = true;
  let isText = false;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > MAX_TOKENS) return { line, message: 'must have fewer values' };
    const kind: string | null = isText ? 'text' : CST.tokenType(token);
    isText = kind === 'scalar';
    if (isLineBegin && kind !== 'newline' && kind !== 'comment' && flows === 0) {
      const column = kind === 'space' ? token.length : 0;
      while ((indents.at(-1) ?? -1) >= column) indents.pop();
      indents.push(column);
    }
    isLineBegin = kind === 'newline';
    if (isLineBegin) markers = 0;
    if (kind === 'flow-seq-start' || kind === 'flow-map-start') flows += 1;
    if (kind === 'flow-seq-end' || kind === 'flow-map-end') flows -= 1;
    if (kind === 'seq-item-ind' || kind === 'explicit-key-ind' || (kind === 'map-value-ind' && flows === 0))
      markers += 1;
    if (indents.length + flows + markers > MAX_NESTING) {
      return { line, message: `must not nest over more than ${MAX_NESTING} levels` };
    }
    if (kind === 'anchor' || kind === 'tag' || kind === 'alias') marks += 1;
    if (marks > MAX_MARKS) return { line, message: 'must not have anchors, tags or aliases' };
    if (kind === 'double-quoted-scalar') escapes += oddEscapes(token);
    if (escapes > MAX_ESCAPES) return { line, message: `must not have more than ${MAX_ESCAPES} odd escapes in texts` };
    line += token.split('\n').length - 1;
  }
  return undefined;
}

function oddEscapes(token: string): number {
  let count = 0;
  for (const [pair] of token.matchAll(ESCAPE)) if (!PLAIN_ESCAPES.has(pair.charAt(1))) count += 1;
  return count;
}
