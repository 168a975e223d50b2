import { limits } from '../limits.ts';
import { Violations } from '../violations.ts';
import { identifierKey, parseIdentifier } from './identifier.ts';
import type { Identifier } from './use-cases.ts';

/**
 * Identifiers of an account in normalized form, marks as given. Throws INVALID_ARGUMENT unless they are 1 to 10, each good of its kind and
 * named once. A `new` account has nothing verified.
 */
export function parseIdentifiers(given: readonly Identifier[], of: 'new' | 'known'): readonly Identifier[] {
  const violations = new Violations();
  if (given.length === 0 || given.length > limits.identifiersPerUser) {
    violations.add('identifiers', `must be 1 to ${limits.identifiersPerUser}, was ${given.length}`);
    violations.throwIfAny();
  }
  const seen = new Set<string>();
  const parsed = given.map((identifier, index) => {
    if (of === 'new' && identifier.verified) {
      violations.add(`identifiers[${index}].verified`, 'must be false: only the service verifies');
    }
    const one = parseIdentifier(identifier, `identifiers[${index}].value`, violations);
    const key = identifierKey(one);
    if (seen.has(key) && one.value !== '') violations.add(`identifiers[${index}]`, 'is named twice');
    seen.add(key);
    return { ...one, verified: identifier.verified };
  });
  violations.throwIfAny();
  return parsed;
}
