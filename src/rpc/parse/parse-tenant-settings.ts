import type { Duration } from '@bufbuild/protobuf/wkt';
import {
  BreachedLookup,
  type FactorPolicy as FactorPolicyMessage,
  FactorRequirement,
  type PasswordPolicy as PasswordPolicyMessage,
  PasswordPolicyMode,
  SigningAlgorithm,
  type TenantSettings as TenantSettingsMessage,
} from '../../../gen/sallyport/v1/tenant_pb.ts';
import {
  defaultPasswordPolicy,
  defaultTenantSettings,
  type FactorPolicy,
  type PasswordPolicy,
  type TenantSettings,
} from '../../domain/tenant/tenant.ts';
import { checkTenantSettings } from '../../domain/tenant/tenant-settings.ts';
import type { Violations } from '../../domain/violations.ts';
import { requiredText } from './parse-text.ts';

const MAX_NAME_CHARS = 256;

const modes: Readonly<Record<number, PasswordPolicy['mode']>> = {
  [PasswordPolicyMode.UNSPECIFIED]: 'default',
  [PasswordPolicyMode.COMPOSITION]: 'default',
  [PasswordPolicyMode.NIST]: 'nist',
};
const lookups: Readonly<Record<number, PasswordPolicy['breachedLookup']>> = {
  [BreachedLookup.UNSPECIFIED]: 'off',
  [BreachedLookup.OFF]: 'off',
  [BreachedLookup.SKIP_ON_OUTAGE]: 'skip_on_outage',
  [BreachedLookup.REFUSE_ON_OUTAGE]: 'refuse_on_outage',
};
const requirements: Readonly<Record<number, FactorPolicy['requirement']>> = {
  [FactorRequirement.UNSPECIFIED]: 'optional',
  [FactorRequirement.OPTIONAL]: 'optional',
  [FactorRequirement.REQUIRED]: 'required',
  [FactorRequirement.REQUIRED_FOR_ROLES]: 'required_for_roles',
};
const algorithms: Readonly<Record<number, TenantSettings['signingAlgorithm']>> = {
  [SigningAlgorithm.UNSPECIFIED]: 'ES256',
  [SigningAlgorithm.ES256]: 'ES256',
  [SigningAlgorithm.EDDSA]: 'EdDSA',
  [SigningAlgorithm.RS256]: 'RS256',
};

/** All settings; what is absent is its default. Notes what is out of bounds. */
export function parseTenantSettings(
  message: TenantSettingsMessage,
  field: string,
  violations: Violations,
): TenantSettings {
  const defaults = defaultTenantSettings;
  const settings: TenantSettings = {
    passwordPolicy: parsePasswordPolicy(message.passwordPolicy, `${field}.password_policy`, violations),
    factorPolicy: parseFactorPolicy(message.factorPolicy, `${field}.factor_policy`, violations),
    accessTokenMs: msOf(message.accessTokenLifetime, defaults.accessTokenMs),
    sessionIdleMs: msOf(message.sessionIdleTimeout, defaults.sessionIdleMs),
    sessionAbsoluteMs: msOf(message.sessionMaxAge, defaults.sessionAbsoluteMs),
    cookieIdleMs: msOf(message.cookieIdleTimeout, defaults.cookieIdleMs),
    cookieAbsoluteMs: msOf(message.cookieMaxAge, defaults.cookieAbsoluteMs),
    challengeMs: msOf(message.challengeLifetime, defaults.challengeMs),
    authenticationTokenMs: msOf(message.authenticationTokenLifetime, defaults.authenticationTokenMs),
    resetTokenMs: msOf(message.resetTokenLifetime, defaults.resetTokenMs),
    verificationTokenMs: msOf(message.verificationTokenLifetime, defaults.verificationTokenMs),
    refreshGraceMs: msOf(message.refreshGrace, defaults.refreshGraceMs),
    signingAlgorithm: oneOf(algorithms, message.signingAlgorithm, `${field}.signing_algorithm`, violations, 'ES256'),
    allowedAudiences: names(message.allowedAudiences, `${field}.allowed_audiences`, violations),
    linkByVerifiedEmail: message.linkByVerifiedEmail,
  };
  checkTenantSettings(settings, field, violations);
  return settings;
}

function parsePasswordPolicy(
  message: PasswordPolicyMessage | undefined,
  field: string,
  violations: Violations,
): PasswordPolicy {
  const defaults = defaultPasswordPolicy;
  if (message === undefined) return defaults;
  return {
    mode: oneOf(modes, message.mode, `${field}.mode`, violations, defaults.mode),
    minChars: message.minCharacters ?? defaults.minChars,
    upperCase: message.upperCase ?? defaults.upperCase,
    number: message.number ?? defaults.number,
    special: message.special ?? defaults.special,
    breachedCheck: message.breachedCheck ?? defaults.breachedCheck,
    breachedLookup: oneOf(lookups, message.breachedLookup, `${field}.breached_lookup`, violations, 'off'),
  };
}

function parseFactorPolicy(
  message: FactorPolicyMessage | undefined,
  field: string,
  violations: Violations,
): FactorPolicy {
  if (message === undefined) return defaultTenantSettings.factorPolicy;
  return {
    requirement: oneOf(requirements, message.requirement, `${field}.requirement`, violations, 'optional'),
    roles: names(message.roles, `${field}.roles`, violations),
  };
}

function oneOf<T>(
  values: Readonly<Record<number, T>>,
  given: number,
  field: string,
  violations: Violations,
  otherwise: T,
): T {
  const value = values[given];
  if (value === undefined) violations.add(field, `must be one of the values of its enum, was ${given}`);
  return value ?? otherwise;
}

function names(values: readonly string[], field: string, violations: Violations): readonly string[] {
  return [...new Set(values.map((value, at) => requiredText(value, `${field}[${at}]`, MAX_NAME_CHARS, violations)))];
}

/** Fractions of a millisecond are not an integer, which the bounds refuse. Seconds beyond 2^53 ms are far out of them. */
function msOf(duration: Duration | undefined, absent: number): number {
  return duration === undefined ? absent : Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
}
