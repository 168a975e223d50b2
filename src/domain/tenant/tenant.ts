import type { Collection, Document, Store } from '../storage.ts';
import type { Violations } from '../violations.ts';

// Tenants separate everything: users, keys, policies, issuers. `sallyport` is reserved for callers' own rights.

export const DEFAULT_TENANT = 'default';
export const SYSTEM_TENANT = 'sallyport';

export interface PasswordPolicy {
  /** `default`: length, kinds of characters and guessability; `nist`: SP 800-63B-4, length alone and context words. */
  readonly mode: 'default' | 'nist';
  /** In characters (code points). In mode `nist` it counts only where it asks for more than 15, or 8 beside a second factor. */
  readonly minChars: number;
  /** Mode `default` only, as are `number` and `special`. */
  readonly upperCase: boolean;
  readonly number: boolean;
  readonly special: boolean;
  /** The built-in list and estimate. */
  readonly breachedCheck: boolean;
  /** The range service outside, and what its outage means. */
  readonly breachedLookup: 'off' | 'skip_on_outage' | 'refuse_on_outage';
}

export interface FactorPolicy {
  readonly requirement: 'optional' | 'required' | 'required_for_roles';
  /** Role names of the tenant's policy; empty unless `required_for_roles`. */
  readonly roles: readonly string[];
}

export interface TenantSettings {
  readonly passwordPolicy: PasswordPolicy;
  readonly factorPolicy: FactorPolicy;
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
  /** Lifetime of password reset tokens, ms. */
  readonly resetTokenMs: number;
  /** Lifetime of verification tokens, ms. */
  readonly verificationTokenMs: number;
  /** How long the previous refresh token may be repeated by the same caller and device, ms; 0 is the strict rule. */
  readonly refreshGraceMs: number;
  /** What new signing keys of the tenant are for. */
  readonly signingAlgorithm: 'ES256' | 'EdDSA' | 'RS256';
  /** Audiences that tokens may be issued for; empty: any. */
  readonly allowedAudiences: readonly string[];
  /** Whether a federated login is linked to the account that has the vouched-for address verified. */
  readonly linkByVerifiedEmail: boolean;
}

/** Only what differs from the defaults, so that a better default of a later release reaches whoever did not choose. */
export type StoredTenantSettings = Partial<Omit<TenantSettings, 'passwordPolicy' | 'factorPolicy'>> & {
  readonly passwordPolicy?: Partial<PasswordPolicy> | undefined;
  readonly factorPolicy?: FactorPolicy | undefined;
};

export const defaultPasswordPolicy: PasswordPolicy = {
  mode: 'default',
  minChars: 12,
  upperCase: true,
  number: true,
  special: true,
  breachedCheck: true,
  breachedLookup: 'off',
};

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** api.md "Lifetimes". */
export const defaultTenantSettings: TenantSettings = {
  passwordPolicy: defaultPasswordPolicy,
  factorPolicy: { requirement: 'optional', roles: [] },
  accessTokenMs: 15 * MINUTE,
  sessionIdleMs: 7 * DAY,
  sessionAbsoluteMs: 30 * DAY,
  cookieIdleMs: 2 * HOUR,
  cookieAbsoluteMs: 24 * HOUR,
  challengeMs: 5 * MINUTE,
  authenticationTokenMs: MINUTE,
  resetTokenMs: 15 * MINUTE,
  verificationTokenMs: 24 * HOUR,
  refreshGraceMs: 10 * SECOND,
  signingAlgorithm: 'ES256',
  allowedAudiences: [],
  linkByVerifiedEmail: false,
};

/** All of them are kept under tenant `sallyport`, so that they can be listed; the id is the tenant's name. */
export interface TenantDocument extends Document {
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly displayName?: string | undefined;
  /** `disabled`: to everybody but TenantService it is not there. `deleted`: to nobody; its name is kept so that it is never used again. */
  readonly status: 'active' | 'disabled' | 'deleted';
  /** Epoch ms of the last change to `disabled`. */
  readonly disabledAt?: number | undefined;
  /** Only what differs from the defaults. */
  readonly settings: StoredTenantSettings;
  /** Of the CreateTenant call, so that a retry is told from a second call. */
  readonly request?: { readonly id: string; readonly digest: string } | undefined;
}

export function tenantsOf(store: Store): Collection<TenantDocument> {
  return store.collection<TenantDocument>('tenants');
}

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

/** Knows the tenants. A tenant that is not there, or is disabled, is undefined; callers turn that into TENANT_NOT_FOUND or UNKNOWN_TENANT. */
export interface TenantDirectory {
  /** Settings of a tenant already in memory, without waiting. */
  peek(tenant: string): TenantSettings | undefined;
  /** Settings of a tenant, read from the store where needed. */
  settings(tenant: string, signal?: AbortSignal): Promise<TenantSettings | undefined>;
}

/** The directory itself, for whoever tells it of changes. */
export interface ForgettingTenantDirectory extends TenantDirectory {
  /** To be called when the log says that the tenant changed: what is in memory, or being read, counts no more. Undefined: of all tenants. */
  forget(tenant: string | undefined): void;
}
