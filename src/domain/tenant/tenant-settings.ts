import { checkAudiences } from '../keys/check-audiences.ts';
import type { Violations } from '../violations.ts';
import {
  defaultPasswordPolicy,
  defaultTenantSettings,
  type StoredTenantSettings,
  type TenantSettings,
} from './tenant.ts';

// The bounds of what a tenant sets for itself (api.md "Lifetimes"), and how it is stored.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export type LifetimeName = {
  [K in keyof TenantSettings]: TenantSettings[K] extends number ? K : never;
}[keyof TenantSettings];

/** Least and most, ms, and the name of the field in requests. */
export const lifetimeBounds: Readonly<Record<LifetimeName, readonly [least: number, most: number, field: string]>> = {
  // Longer ones would outlive what revocations are remembered for (REMEMBERED_MS).
  accessTokenMs: [MINUTE, 15 * MINUTE, 'access_token_lifetime'],
  sessionIdleMs: [5 * MINUTE, 90 * DAY, 'session_idle_timeout'],
  sessionAbsoluteMs: [5 * MINUTE, 365 * DAY, 'session_max_age'],
  cookieIdleMs: [MINUTE, 30 * DAY, 'cookie_idle_timeout'],
  cookieAbsoluteMs: [MINUTE, 90 * DAY, 'cookie_max_age'],
  challengeMs: [MINUTE, 15 * MINUTE, 'challenge_lifetime'],
  authenticationTokenMs: [10 * SECOND, 5 * MINUTE, 'authentication_token_lifetime'],
  resetTokenMs: [5 * MINUTE, HOUR, 'reset_token_lifetime'],
  verificationTokenMs: [10 * MINUTE, 7 * DAY, 'verification_token_lifetime'],
  refreshGraceMs: [0, MINUTE, 'refresh_grace'],
};

const PASSWORD_CHARS = { least: 8, most: 128 } as const;
const MAX_ROLES = 100;

/** Notes a violation for each setting that is out of its bounds; `field` is the path of the settings in the request. */
export function checkTenantSettings(settings: TenantSettings, field: string, violations: Violations): void {
  for (const [name, [least, most, proto]] of Object.entries(lifetimeBounds)) {
    const ms = settings[name as LifetimeName];
    if (!Number.isInteger(ms) || ms < least || ms > most) {
      violations.add(`${field}.${proto}`, `must be ${least / SECOND} to ${most / SECOND} seconds`);
    }
  }
  if (settings.sessionIdleMs > settings.sessionAbsoluteMs) {
    violations.add(`${field}.session_idle_timeout`, 'must not be above session_max_age');
  }
  if (settings.cookieIdleMs > settings.cookieAbsoluteMs) {
    violations.add(`${field}.cookie_idle_timeout`, 'must not be above cookie_max_age');
  }
  const { minChars } = settings.passwordPolicy;
  if (!Number.isInteger(minChars) || minChars < PASSWORD_CHARS.least || minChars > PASSWORD_CHARS.most) {
    const bounds = `${PASSWORD_CHARS.least} to ${PASSWORD_CHARS.most}`;
    violations.add(`${field}.password_policy.min_characters`, `must be ${bounds}`);
  }
  const { requirement, roles } = settings.factorPolicy;
  const forRoles = requirement === 'required_for_roles';
  if (forRoles ? roles.length === 0 || roles.length > MAX_ROLES : roles.length > 0) {
    violations.add(`${field}.factor_policy.roles`, `must be 1 to ${MAX_ROLES} with REQUIRED_FOR_ROLES, else empty`);
  }
  checkAudiences(settings.allowedAudiences, `${field}.allowed_audiences`, violations);
}

/** The settings in force. */
export function effectiveSettings(stored: StoredTenantSettings): TenantSettings {
  return {
    ...defaultTenantSettings,
    ...stored,
    passwordPolicy: { ...defaultPasswordPolicy, ...stored.passwordPolicy },
    factorPolicy: stored.factorPolicy ?? defaultTenantSettings.factorPolicy,
  };
}

/** What of the settings is to be stored. */
export function storedSettings(settings: TenantSettings): StoredTenantSettings {
  const { passwordPolicy, ...others } = settings;
  const { passwordPolicy: _, ...defaults } = defaultTenantSettings;
  const ownPolicy = differing(passwordPolicy, defaultPasswordPolicy);
  return {
    ...differing(others, defaults),
    ...(Object.keys(ownPolicy).length === 0 ? {} : { passwordPolicy: ownPolicy }),
  };
}

function differing<T extends object>(values: T, defaults: T): Partial<T> {
  const usual = new Map(Object.entries(defaults));
  const own = Object.entries(values).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(usual.get(name)),
  );
  return Object.fromEntries(own) as Partial<T>;
}
