import type { Document } from '../storage.ts';
import type { Violations } from '../violations.ts';

// Tenants separate everything: users, keys, policies, issuers. `sallyport` is reserved for callers' own rights.

export const DEFAULT_TENANT = 'default';
export const SYSTEM_TENANT = 'sallyport';

export interface TenantSettings {
  /** Access token lifetime, ms; 60,000 to 900,000. */
  readonly accessTokenMs: number;
  /** A refresh session ends when unused for this long, ms. */
  readonly sessionIdleMs: number;
  /** A refresh session ends at this age whatever happens, ms. */
  readonly sessionAbsoluteMs: number;
  readonly cookieIdleMs: number;
  readonly cookieAbsoluteMs: number;
  readonly challengeMs: number;
  readonly authenticationTokenMs: number;
  /** How long the previous refresh token may be repeated by the same caller and device, ms; 0 is the strict rule. */
  readonly refreshGraceMs: number;
}

export interface TenantDocument extends Document {
  readonly createdAt: number;
  /** Only what differs from the defaults. */
  readonly settings: Partial<TenantSettings>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** api.md "Lifetimes". */
export const defaultTenantSettings: TenantSettings = {
  accessTokenMs: 15 * MINUTE,
  sessionIdleMs: 7 * DAY,
  sessionAbsoluteMs: 30 * DAY,
  cookieIdleMs: 2 * HOUR,
  cookieAbsoluteMs: 24 * HOUR,
  challengeMs: 5 * MINUTE,
  authenticationTokenMs: MINUTE,
  refreshGraceMs: 10_000,
};

const TENANT = /^[a-z][a-z0-9-]{0,62}$/;

/** Empty means `default`. Notes a violation unless it is 1 to 63 lower-case letters, digits or `-`, beginning with a letter. */
export function parseTenantId(value: string, violations: Violations, field = 'tenant'): string {
  if (value === '') return DEFAULT_TENANT;
  if (!TENANT.test(value)) {
    violations.add(
      field,
      'must be 1 to 63 lower-case letters, digits or -, beginning with a letter; empty means `default`',
    );
  }
  return value;
}

/** Knows the tenants. A tenant that is not there is undefined; callers turn that into TENANT_NOT_FOUND or UNKNOWN_TENANT. */
export interface TenantDirectory {
  /** Settings of a tenant already in memory, without waiting. */
  peek(tenant: string): TenantSettings | undefined;
  /** Settings of a tenant, read from the store where needed. */
  settings(tenant: string, signal?: AbortSignal): Promise<TenantSettings | undefined>;
}
