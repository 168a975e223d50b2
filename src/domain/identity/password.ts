import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import { Violations } from '../violations.ts';
import { brokenRules, describeRule, type PasswordRules } from './password-policy.ts';

// Passwords are taken as they are: nothing is trimmed or folded, any well-formed Unicode works.

/** Throws INVALID_ARGUMENT unless `password` is 1 to 1,024 bytes of well-formed Unicode. */
export function checkPasswordForm(password: string, field: string): void {
  const violations = new Violations();
  if (password === '') violations.add(field, 'is required');
  else if (Buffer.byteLength(password) > limits.passwordBytes) {
    violations.add(field, `must be at most ${limits.passwordBytes} bytes of UTF-8`);
  } else if (!password.isWellFormed()) violations.add(field, 'must be well-formed Unicode, without lone surrogates');
  violations.throwIfAny();
}

/** Throws INVALID_ARGUMENT for a malformed password, PASSWORD_REJECTED with all broken rules for a new one that is too weak. */
export function checkNewPassword(password: string, rules: PasswordRules, field = 'password'): void {
  checkPasswordForm(password, field);
  const broken = brokenRules(rules, password);
  if (broken.length === 0) return;
  const needed = broken.map((rule) => describeRule(rules, rule)).join(', ');
  throw new DomainError('PASSWORD_REJECTED', `the password needs ${needed}`, { metadata: { rules: broken.join(',') } });
}
