import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

// YAML with the place of everything that is wrong: `file:line:column: what`.

export interface YamlProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Nodes are deeper than this only in a file that is an attack. */
const MAX_DEPTH = 32;
/** Characters of one file. */
const MAX_CHARS = 4 * 1024 * 1024;

export class YamlReader {
  readonly root: Node | null;
  readonly problems: YamlProblem[] = [];
  readonly #lines = new LineCounter();

  constructor(text: string) {
    if (text.length > MAX_CHARS) {
      this.root = null;
      this.problems.push({ line: 1, column: 1, message: `is longer than ${MAX_CHARS} characters` });
      return;
    }
    // Anchors could multiply a small file into a huge one: none is resolved.
    const document = parseDocument(text, { lineCounter: this.#lines, uniqueKeys: true, schema: 'core' });
    this.root = document.contents;
    for (const error of [...document.errors, ...document.warnings]) {
      const { line, col } = this.#lines.linePos(error.pos[0]);
      this.problems.push({ line, column: col, message: error.message.split('\n', 1)[0] ?? '' });
    }
  }

  fault(node: Node | null | undefined, message: string): void {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    this.problems.push({ line: Math.max(line, 1), column: Math.max(col, 1), message });
  }

  lineOf(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }

  /** Members of a map; others than `known` are faults. Undefined: absent or no map. */
  map(node: Node | null | undefined, what: string, known?: readonly string[]): ReadonlyMap<string, Node> | undefined {
    if (node === undefined || node === null) return undefined;
    if (!isMap(node)) {
      this.fault(node, `${what} must be a map`);
      return undefined;
    }
    const members = new Map<string, Node>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      if (known !== undefined && !known.includes(name)) {
        this.fault(key as Node, `${what} has no ${JSON.stringify(name)}; known are ${known.join(', ')}`);
      }
      if (value !== null) members.set(name, value as Node);
    }
    return members;
  }

  list(node: Node | null | undefined, what: string): readonly Node[] {
    if (node === undefined || node === null) return [];
    if (isSeq(node)) return node.items as Node[];
    this.fault(node, `${what} must be a list`);
    return [];
  }

  text(node: Node | null | undefined, what: string): string | undefined {
    if (node === undefined || node === null) return undefined;
    if (isScalar(node) && typeof node.value === 'string') return node.value;
    this.fault(node, `${what} must be a text`);
    return undefined;
  }

  /** A plain JSON value. */
  value(node: Node | null | undefined, what: string, depth = 0): unknown {
    if (node === undefined || node === null) return undefined;
    if (depth > MAX_DEPTH) {
      this.fault(node, `${what} is deeper than ${MAX_DEPTH} levels`);
      return undefined;
    }
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return (node.items as Node[]).map((each) => this.value(each, what, depth + 1));
    if (isMap(node)) {
      return Object.fromEntries([...(this.map(node, what) ?? [])].map(([k, v]) => [k, this.value(v, what, depth + 1)]));
    }
    this.fault(node, `${what} must not be an alias`);
    return undefined;
  }
}

export function problemText(file: string, { line, column, message }: YamlProblem): string {
  return `${file}:${line}:${column}: ${message}`;
}
