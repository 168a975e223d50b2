import type { PasswordPolicy } from '../tenant/tenant.ts';

// What a new password must be like: a pure function over the tenant's policy and what was found out about the password.

/** In the order in which they are told. */
export type PasswordRule =
  | 'min_length'
  | 'upper_case'
  | 'number'
  | 'special'
  | 'common'
  | 'guessable'
  | 'context'
  | 'breached'
  | 'unchanged';

export interface PasswordFacts {
  readonly password: string;
  /** Whether its user has a second factor in force. */
  readonly hasFactor: boolean;
  /** What the user, the tenant and the service are known by. */
  readonly context: readonly string[];
  /** Undefined: not looked at. */
  readonly estimate: { readonly common: boolean; readonly score: number } | undefined;
  readonly breached: boolean;
  /** It is the one that it shall replace. */
  readonly unchanged: boolean;
}

/** NIST SP 800-63B-4 section 3.1.1.2: 15 characters where the password is all there is, 8 beside another factor. */
const NIST_CHARS = { alone: 15, besideFactor: 8 } as const;
const MIN_SCORE = 3;
/** Shorter words are in too many good passwords. */
const MIN_CONTEXT_CHARS = 4;

/** Least number of characters (code points). */
export function leastChars(policy: PasswordPolicy, hasFactor: boolean): number {
  if (policy.mode === 'default') return policy.minChars;
  const least = hasFactor ? NIST_CHARS.besideFactor : NIST_CHARS.alone;
  // The default of the other mode is no wish of the tenant's.
  return policy.minChars === DEFAULT_CHARS ? least : Math.max(least, policy.minChars);
}

const DEFAULT_CHARS = 12;

/** All the rules that the password breaks. */
export function brokenRules(policy: PasswordPolicy, facts: PasswordFacts): readonly PasswordRule[] {
  const { password, estimate } = facts;
  const composed = policy.mode === 'default';
  const broken: readonly (readonly [boolean, PasswordRule])[] = [
    [[...password].length < leastChars(policy, facts.hasFactor), 'min_length'],
    [composed && policy.upperCase && !/\p{Lu}/u.test(password), 'upper_case'],
    [composed && policy.number && !/\p{N}/u.test(password), 'number'],
    [composed && policy.special && !/[^\p{L}\p{M}\p{N}]/u.test(password), 'special'],
    [estimate?.common === true, 'common'],
    [composed && estimate !== undefined && estimate.score < MIN_SCORE, 'guessable'],
    [!composed && holdsContext(password, facts.context), 'context'],
    [facts.breached, 'breached'],
    [facts.unchanged, 'unchanged'],
  ];
  return broken.flatMap(([isBroken, rule]) => (isBroken ? [rule] : []));
}

/** The rule as a sentence for people, such as `The password must have a number.` */
export function describeRule(
  policy: PasswordPolicy,
  rule: PasswordRule,
  hasFactor: boolean,
  subject = 'The password',
): string {
  return `${subject} must ${demandOf(policy, rule, hasFactor)}.`;
}

function demandOf(policy: PasswordPolicy, rule: PasswordRule, hasFactor: boolean): string {
  switch (rule) {
    case 'min_length':
      return `have at least ${leastChars(policy, hasFactor)} characters`;
    case 'upper_case':
      return 'have an upper-case letter';
    case 'number':
      return 'have a number';
    case 'special':
      return 'have a character that is neither a letter nor a number';
    case 'common':
      return 'not be a common one, in whatever spelling';
    case 'guessable':
      return 'be harder to guess';
    case 'context':
      return 'not contain a name of the user or of the service';
    case 'breached':
      return 'not be one that is known from a breach';
    case 'unchanged':
      return 'be another one than before';
  }
}

function holdsContext(password: string, context: readonly string[]): boolean {
  const folded = fold(password);
  return context
    .flatMap((text) => fold(text).split(/[^\p{L}\p{M}\p{N}]+/u))
    .some((word) => word.length >= MIN_CONTEXT_CHARS && folded.includes(word));
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
