import type { PasswordCredential, VerifyTotpRequest } from '../../../gen/sallyport/v1/authentication_pb.ts';
import type { VerifyTotpInput } from '../../domain/identity/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkId } from '../../domain/subject.ts';
import type { Violations } from '../../domain/violations.ts';
import { opaqueText, passwordText, requiredText } from './parse-text.ts';

// What a user proves who they are with. None of it is echoed in a violation.

const SIX_DIGITS = /^[0-9]{6}$/;
/** Six groups of four with separators: longer ones are no recovery code. */
const RECOVERY_CODE_CHARS = 64;

export function parsePassword(
  { identifier, password }: PasswordCredential,
  violations: Violations,
): { readonly identifier: string; readonly password: string } {
  return {
    identifier: requiredText(identifier, 'password.identifier', limits.identifierChars, violations),
    password: passwordText(password, 'password.password', violations),
  };
}

export function parseTotpTarget(
  target: VerifyTotpRequest['target'],
  violations: Violations,
): VerifyTotpInput['target'] {
  switch (target.case) {
    case 'challengeToken':
      return { kind: 'challenge', challengeToken: opaqueText(target.value, 'challenge_token', violations) };
    case 'userId':
      return { kind: 'user', userId: checkId(target.value, 'user_id', violations) };
    case 'accessToken':
      return { kind: 'access_token', accessToken: opaqueText(target.value, 'access_token', violations) };
    case 'sessionToken':
      return { kind: 'session_token', sessionToken: opaqueText(target.value, 'session_token', violations) };
    case undefined:
      violations.add('target', 'is required: one of challenge_token, user_id, access_token, session_token');
      return { kind: 'user', userId: '' };
  }
}

export function parseTotpCode(code: VerifyTotpRequest['code'], violations: Violations): VerifyTotpInput['code'] {
  switch (code.case) {
    case 'totpCode':
      if (!SIX_DIGITS.test(code.value)) violations.add('totp_code', 'must be six digits');
      return { kind: 'totp', value: code.value };
    case 'recoveryCode':
      return {
        kind: 'recovery_code',
        value: requiredText(code.value, 'recovery_code', RECOVERY_CODE_CHARS, violations),
      };
    case undefined:
      violations.add('code', 'is required: one of totp_code, recovery_code');
      return { kind: 'totp', value: '' };
  }
}
