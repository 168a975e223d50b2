import { hash } from 'node:crypto';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { checkPasswordForm } from './password.ts';
import { brokenRules, describeRule, type PasswordRule } from './password-policy.ts';
import type { IdentityParts } from './ports.ts';
import type { Identifier, UserDocument } from './use-cases.ts';
import { hasFactor } from './user.ts';

// A new password against the tenant's policy, with all that it breaks told at once.

/** Whose password it would be, as far as that is known. */
export interface PasswordOwner {
  readonly identifiers: readonly Pick<Identifier, 'value'>[];
  readonly displayName?: string | undefined;
  readonly hasFactor: boolean;
}

export function ownerOf(user: UserDocument): PasswordOwner {
  return { identifiers: user.identifiers, displayName: user.displayName, hasFactor: hasFactor(user) };
}

export interface PasswordCandidate {
  readonly password: string;
  /** Of the request, for what is malformed. */
  readonly field: string;
  readonly owner: PasswordOwner;
  /** True: it is the one that it shall replace. */
  readonly unchanged?: boolean | undefined;
}

export interface PasswordVerdict {
  readonly broken: readonly { readonly rule: PasswordRule; readonly description: string }[];
  /** 0 to 4. */
  readonly score: number;
}

const SERVICE_NAME = 'sallyport';

/** Throws INVALID_ARGUMENT for a malformed password, and Faults: a password that cannot be judged is not taken. */
export async function judgePassword(
  parts: Pick<IdentityParts, 'hasher' | 'breachedPasswords' | 'logger'>,
  call: CallContext,
  tenant: string,
  settings: TenantSettings,
  candidate: PasswordCandidate,
): Promise<PasswordVerdict> {
  const { password, owner } = candidate;
  checkPasswordForm(password, candidate.field);
  const policy = settings.passwordPolicy;
  const names = [...owner.identifiers.map(({ value }) => value), owner.displayName ?? ''].filter((name) => name !== '');
  const context = [...names, SERVICE_NAME, ...(tenant === 'default' ? [] : [tenant])];
  const estimate = await parts.hasher.estimate(password, context, call.signal);
  const facts = {
    password,
    hasFactor: owner.hasFactor,
    context,
    estimate: policy.breachedCheck ? estimate : undefined,
    breached: await isBreached(parts, policy.breachedLookup, password, call.signal),
    unchanged: candidate.unchanged === true,
  };
  const broken = brokenRules(policy, facts).map((rule) => ({
    rule,
    description: describeRule(policy, rule, owner.hasFactor),
  }));
  return { broken, score: estimate.score };
}

/** As `judgePassword`, and throws PASSWORD_REJECTED with all broken rules. */
export async function requireGoodPassword(
  parts: Pick<IdentityParts, 'hasher' | 'breachedPasswords' | 'logger'>,
  call: CallContext,
  tenant: string,
  settings: TenantSettings,
  candidate: PasswordCandidate,
): Promise<void> {
  const { broken } = await judgePassword(parts, call, tenant, settings, candidate);
  if (broken.length === 0) return;
  const sentences = broken.map(({ rule }, index) =>
    describeRule(settings.passwordPolicy, rule, candidate.owner.hasFactor, index === 0 ? 'The password' : 'It'),
  );
  const rules = broken.map(({ rule }) => rule).join(',');
  throw new DomainError('PASSWORD_REJECTED', sentences.join(' '), { metadata: { rules } });
}

/** Only the first five characters of the hash leave the service (k-anonymity). What an outage means is the tenant's setting. */
async function isBreached(
  { breachedPasswords, logger }: Pick<IdentityParts, 'breachedPasswords' | 'logger'>,
  lookup: TenantSettings['passwordPolicy']['breachedLookup'],
  password: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (lookup === 'off') return false;
  const digest = hash('sha1', password, 'hex').toUpperCase();
  try {
    return await breachedPasswords.has(digest, signal);
  } catch (error) {
    if (lookup === 'refuse_on_outage' || signal?.aborted === true) throw error;
    logger.warn({ err: error }, 'breached passwords could not be looked up; the password was judged without');
    return false;
  }
}
