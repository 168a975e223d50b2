import type { ASTNode } from '@marcbachmann/cel-js';
import { ROOTS } from './condition-costs.ts';

// The attributes that a condition reads, by the names on the way to them: `['context', 'ip']`.

export type Path = readonly string[];

/** What a comprehension goes through, and the cost of each element. */
export interface IteratedPath {
  readonly path: Path;
  readonly cost: number;
}

/** A path whose value is compared `times` times, and that as often as there are entries in each of `per`, multiplied. */
export interface ComparedPath {
  readonly path: Path;
  readonly times: number;
  readonly per: readonly Path[];
}

/** A text that must not be longer than `chars`. */
export interface ShortPath {
  readonly path: Path;
  readonly chars: number;
}

/** From a variable of the request; undefined for anything else. `variable` is that of the comprehension around the node. */
export function pathOf(node: ASTNode, variable: string | undefined): Path | undefined {
  if (node.op === 'id') return ROOTS.has(node.args) && node.args !== variable ? [node.args] : undefined;
  const name =
    node.op === '.' ? node.args[1] : node.op === '[]' && node.args[1].op === 'value' ? node.args[1].args : undefined;
  if ((node.op !== '.' && node.op !== '[]') || typeof name !== 'string') return undefined;
  const path = pathOf(node.args[0], variable);
  return path === undefined ? undefined : [...path, name];
}

/** What a member or element is taken from, however deep it lies. */
export function wholeOf(node: ASTNode): ASTNode {
  return node.op === '.' || node.op === '[]' ? wholeOf(node.args[0]) : node;
}

/** Whether anything is put together, or added, in a node: a part of an AST, whose arguments are nodes, lists of them, and plain values. */
export function joins(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(joins);
  if (typeof part !== 'object' || part === null || !('op' in part) || !('args' in part)) return false;
  return part.op === '+' || joins(part.args);
}

/** Each path once for what it is compared per. */
export function merged(compared: readonly ComparedPath[]): readonly ComparedPath[] {
  const known = new Map<string, ComparedPath>();
  for (const each of compared) {
    const key = JSON.stringify([each.path, each.per]);
    known.set(key, { ...each, times: each.times + (known.get(key)?.times ?? 0) });
  }
  return [...known.values()];
}

/** The most characters of a text that is written out, attributes of at most `chars`, or both joined; Infinity for anything else. */
export function longestText(
  node: ASTNode,
  variable: string | undefined,
  chars: number,
  note: (path: Path) => void,
): number {
  const longest = (each: ASTNode): number => longestText(each, variable, chars, note);
  if (node.op === 'value') return typeof node.args === 'string' ? node.args.length : 0;
  if (node.op === '+') return longest(node.args[0]) + longest(node.args[1]);
  if (node.op === 'call' && node.args[0] === 'string' && node.args[1][0] !== undefined) return longest(node.args[1][0]);
  const path = pathOf(node, variable);
  if (path === undefined) return Number.POSITIVE_INFINITY;
  note(path);
  return chars;
}
