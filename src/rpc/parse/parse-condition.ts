import { limits } from '../../domain/limits.ts';
import type { Violations } from '../../domain/violations.ts';

/** The text of a condition, for the use case to check; empty: there is none. */
export function parseCondition(value: string, field: string, violations: Violations): { readonly condition?: string } {
  if (value === '') return {};
  const bytes = Buffer.byteLength(value);
  if (bytes > limits.conditionBytes) {
    violations.add(field, `must be at most ${limits.conditionBytes} bytes of UTF-8, was ${bytes}`);
  }
  return { condition: value };
}
