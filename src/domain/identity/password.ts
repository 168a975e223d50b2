import { limits } from '../limits.ts';
import { Violations } from '../violations.ts';

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
