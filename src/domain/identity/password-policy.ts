// What a new password must be like: a pure function over rules.

export interface PasswordRules {
  /** In characters (code points). */
  readonly minChars: number;
  readonly upperCase: boolean;
  readonly number: boolean;
  readonly special: boolean;
}

export type PasswordRule = 'min_length' | 'upper_case' | 'number' | 'special';

export const defaultPasswordRules: PasswordRules = { minChars: 12, upperCase: true, number: true, special: true };

/** All the rules that `password` breaks, in the order of the type. */
export function brokenRules(rules: PasswordRules, password: string): readonly PasswordRule[] {
  const broken: PasswordRule[] = [];
  if ([...password].length < rules.minChars) broken.push('min_length');
  if (rules.upperCase && !/\p{Lu}/u.test(password)) broken.push('upper_case');
  if (rules.number && !/\p{N}/u.test(password)) broken.push('number');
  if (rules.special && !/[^\p{L}\p{M}\p{N}]/u.test(password)) broken.push('special');
  return broken;
}

/** The rule in a user's words. */
export function describeRule(rules: PasswordRules, rule: PasswordRule): string {
  switch (rule) {
    case 'min_length':
      return `at least ${rules.minChars} characters`;
    case 'upper_case':
      return 'an upper-case letter';
    case 'number':
      return 'a number';
    case 'special':
      return 'a character that is neither letter nor number';
  }
}
