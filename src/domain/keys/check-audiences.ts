import { limits } from '../limits.ts';
import type { Violations } from '../violations.ts';

// Printable, so that no audience looks like another.
const AUDIENCE = /^[^\p{C}]+$/u;

/** Whether it can be the `aud` of a token. */
export function isAudience(value: string): boolean {
  return value.length <= limits.audienceChars && AUDIENCE.test(value);
}

/** Notes what is wrong with a list of allowed audiences. */
export function checkAudiences(values: readonly string[], field: string, violations: Violations): void {
  if (values.length > limits.allowedAudiences) violations.add(field, `must be at most ${limits.allowedAudiences}`);
  values.forEach((value, index) => {
    if (!isAudience(value)) {
      violations.add(`${field}[${index}]`, `must be 1 to ${limits.audienceChars} printable characters`);
    }
  });
}
