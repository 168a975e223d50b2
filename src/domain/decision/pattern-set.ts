import { segmentsOf } from './permission.ts';

// Many patterns as one tree over their segments, so that asking costs the same for ten patterns as for ten thousand. Patterns
// are counted: one that was added twice stays until it was removed twice.

interface Node {
  readonly names: Map<string, Node>;
  /** The child behind a `*` that stands for exactly one segment. */
  any: Node | undefined;
  /** Patterns that end here. */
  ends: number;
  /** Patterns whose trailing `*` takes what is left from here. */
  rests: number;
}

export interface PatternSet {
  add(pattern: string): void;
  /** Only for what was added before. */
  remove(pattern: string): void;
  /** Whether some pattern matches. At most one visit per node: 2^16 in the worst tree of 16 segments, a few in a real one. */
  matches(segments: readonly string[]): boolean;
}

export function createPatternSet(patterns: readonly string[] = []): PatternSet {
  const root = createNode();
  const count = (pattern: string, change: 1 | -1): void => {
    const segments = [...segmentsOf(pattern)];
    const last = segments.pop();
    const path = [root];
    let node = root;
    for (const segment of segments) {
      node = child(node, segment);
      path.push(node);
    }
    if (last === '*') node.rests += change;
    else {
      const end = child(node, last ?? '');
      end.ends += change;
      path.push(end);
    }
    if (change === -1) prune(path, last === '*' ? segments : [...segments, last ?? '']);
  };
  for (const pattern of patterns) count(pattern, 1);
  return {
    add: (pattern) => count(pattern, 1),
    remove: (pattern) => count(pattern, -1),
    matches: (segments) => walk(root, segments, 0),
  };
}

function createNode(): Node {
  return { names: new Map(), any: undefined, ends: 0, rests: 0 };
}

function child(node: Node, segment: string): Node {
  if (segment === '*') {
    node.any ??= createNode();
    return node.any;
  }
  const known = node.names.get(segment);
  if (known !== undefined) return known;
  const made = createNode();
  node.names.set(segment, made);
  return made;
}

/** Takes away nodes that nothing needs any more, so that patterns which come and go leave nothing behind. */
function prune(path: readonly Node[], segments: readonly string[]): void {
  for (let depth = path.length - 1; depth > 0; depth -= 1) {
    const node = path[depth];
    const parent = path[depth - 1];
    const segment = segments[depth - 1];
    if (node === undefined || parent === undefined || segment === undefined) return;
    if (node.ends > 0 || node.rests > 0 || node.any !== undefined || node.names.size > 0) return;
    if (segment === '*') parent.any = undefined;
    else parent.names.delete(segment);
  }
}

function walk(node: Node, segments: readonly string[], depth: number): boolean {
  const segment = segments[depth];
  if (segment === undefined) return node.ends > 0;
  if (node.rests > 0) return true;
  const named = node.names.get(segment);
  if (named !== undefined && walk(named, segments, depth + 1)) return true;
  return node.any !== undefined && walk(node.any, segments, depth + 1);
}
