import { printable } from './printable.ts';

// Tables for people: two spaces between columns, as wide as what is in them; on a terminal cut to its width, elsewhere never cut.

export type Cells = readonly string[];

/** Rows that fix the widths: those that come later are wider at their own cost. */
const MEASURED_ROWS = 100;
const GAP = 2;
const LEAST_WIDTH = 8;

/** Takes rows one by one and writes lines; `end` writes what still waits to be measured. */
export function createTable(
  titles: Cells,
  columns: number | undefined,
  write: (line: string) => void,
): { add(row: Cells): void; end(): void } {
  let waiting: Cells[] = [];
  let widths: readonly number[] | undefined;
  const flush = (): void => {
    widths ??= fitted([titles, ...waiting], columns);
    for (const row of waiting) write(line(row, widths, columns !== undefined));
    waiting = [];
  };
  const begin = (): void => {
    widths = fitted([titles, ...waiting], columns);
    write(line(titles, widths, columns !== undefined));
    flush();
  };
  return {
    add: (row) => {
      waiting.push(row.map(printable));
      if (widths !== undefined) flush();
      else if (waiting.length === MEASURED_ROWS) begin();
    },
    end: () => {
      if (widths === undefined && waiting.length > 0) begin();
    },
  };
}

/** Names and values below each other. */
export function fieldLines(fields: readonly (readonly [name: string, value: string])[]): readonly string[] {
  const width = Math.max(...fields.map(([name]) => name.length)) + GAP;
  return fields.map(([name, value]) => `${name.padEnd(width)}${printable(value)}`.trimEnd());
}

function line(row: Cells, widths: readonly number[], cuts: boolean): string {
  return row
    .map((cell, index) => {
      const width = widths[index] ?? 0;
      const text = cuts ? cut(cell, width) : cell;
      return text + ' '.repeat(Math.max(0, width - widthOf(text)) + GAP);
    })
    .join('')
    .trimEnd();
}

/** What the cells need; where that is more than there is, the widest columns give first. */
function fitted(rows: readonly Cells[], columns: number | undefined): readonly number[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => widthOf(row[index] ?? ''))));
  if (columns === undefined) return widths;
  const total = (): number => widths.reduce((sum, width) => sum + width + GAP, -GAP);
  while (total() > columns) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= LEAST_WIDTH) break;
    widths[widest] = width - 1;
  }
  return widths;
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of segments.segment(text)) {
    if (used + widthOf(segment) > width - 1) break;
    kept += segment;
    used += widthOf(segment);
  }
  return `${kept}…`;
}

const segments = new Intl.Segmenter();
/** East Asian Wide and Fullwidth (UAX #11), near enough for names, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const PLAIN = /^[\u0020-\u007e]*$/;

/** Columns that a terminal takes for it. */
function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segments.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}
