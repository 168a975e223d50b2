import { create } from '@bufbuild/protobuf';
import {
  BreachedLookup,
  FactorRequirement,
  PasswordPolicyMode,
  SigningAlgorithm,
  type Tenant as TenantMessage,
  TenantSchema,
  type TenantSettings as TenantSettingsMessage,
  TenantSettingsSchema,
} from '../../../gen/sallyport/v1/tenant_pb.ts';
import type { FactorPolicy, PasswordPolicy, TenantSettings } from '../../domain/tenant/tenant.ts';
import type { Tenant } from '../../domain/tenant/use-cases.ts';
import { toDuration, toTimestamp } from './to-timestamp.ts';

const modes: Readonly<Record<PasswordPolicy['mode'], PasswordPolicyMode>> = {
  default: PasswordPolicyMode.COMPOSITION,
  nist: PasswordPolicyMode.NIST,
};
const lookups: Readonly<Record<PasswordPolicy['breachedLookup'], BreachedLookup>> = {
  off: BreachedLookup.OFF,
  skip_on_outage: BreachedLookup.SKIP_ON_OUTAGE,
  refuse_on_outage: BreachedLookup.REFUSE_ON_OUTAGE,
};
const requirements: Readonly<Record<FactorPolicy['requirement'], FactorRequirement>> = {
  optional: FactorRequirement.OPTIONAL,
  required: FactorRequirement.REQUIRED,
  required_for_roles: FactorRequirement.REQUIRED_FOR_ROLES,
};
const algorithms: Readonly<Record<TenantSettings['signingAlgorithm'], SigningAlgorithm>> = {
  ES256: SigningAlgorithm.ES256,
  EdDSA: SigningAlgorithm.EDDSA,
  RS256: SigningAlgorithm.RS256,
};

export function toTenant(tenant: Tenant): TenantMessage {
  return create(TenantSchema, {
    name: tenant.name,
    displayName: tenant.displayName,
    disabled: tenant.disabled,
    settings: toTenantSettings(tenant.settings),
    createTime: toTimestamp(tenant.createdAt),
    etag: tenant.etag,
  });
}

function toTenantSettings(settings: TenantSettings): TenantSettingsMessage {
  const { passwordPolicy, factorPolicy } = settings;
  return create(TenantSettingsSchema, {
    passwordPolicy: {
      mode: modes[passwordPolicy.mode],
      minCharacters: passwordPolicy.minChars,
      upperCase: passwordPolicy.upperCase,
      number: passwordPolicy.number,
      special: passwordPolicy.special,
      breachedCheck: passwordPolicy.breachedCheck,
      breachedLookup: lookups[passwordPolicy.breachedLookup],
    },
    factorPolicy: { requirement: requirements[factorPolicy.requirement], roles: [...factorPolicy.roles] },
    accessTokenLifetime: toDuration(settings.accessTokenMs),
    sessionIdleTimeout: toDuration(settings.sessionIdleMs),
    sessionMaxAge: toDuration(settings.sessionAbsoluteMs),
    cookieIdleTimeout: toDuration(settings.cookieIdleMs),
    cookieMaxAge: toDuration(settings.cookieAbsoluteMs),
    challengeLifetime: toDuration(settings.challengeMs),
    authenticationTokenLifetime: toDuration(settings.authenticationTokenMs),
    resetTokenLifetime: toDuration(settings.resetTokenMs),
    verificationTokenLifetime: toDuration(settings.verificationTokenMs),
    refreshGrace: toDuration(settings.refreshGraceMs),
    signingAlgorithm: algorithms[settings.signingAlgorithm],
    allowedAudiences: [...settings.allowedAudiences],
    linkByVerifiedEmail: settings.linkByVerifiedEmail,
  });
}
