import type { JsonObject } from '@bufbuild/protobuf';
import type { Attributes } from '../../domain/decision/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import type { Violations } from '../../domain/violations.ts';

/**
 * A google.protobuf.Struct as attributes. Notes a violation beyond `maxBytes` of JSON or 16 levels, for numbers that JSON does not have,
 * and for text that no store keeps. Absent: empty.
 */
export function parseAttributes(
  value: JsonObject | undefined,
  field: string,
  violations: Violations,
  maxBytes: number = limits.contextBytes,
): Attributes {
  if (value === undefined) return NONE;
  const problem = problemOf(value, 1);
  if (problem !== undefined) violations.add(field, problem);
  else {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    if (bytes > maxBytes) violations.add(field, `must be at most ${maxBytes} bytes of JSON, was ${bytes}`);
  }
  return value;
}

const NONE: Attributes = {};

function problemOf(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? undefined : 'must not contain lone surrogates';
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'must not contain NaN or infinite numbers';
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > limits.contextDepth) return `must be at most ${limits.contextDepth} levels deep`;
  for (const [name, member] of Object.entries(value)) {
    // Legal JSON, but a name that turns into a prototype wherever somebody copies members one by one.
    if (name === '__proto__') return 'must not contain a member named __proto__';
    if (!name.isWellFormed()) return 'must not contain lone surrogates';
    const problem = problemOf(member, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
