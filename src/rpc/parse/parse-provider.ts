import type {
  CreateProviderRequest,
  OidcProvider,
  UpdateProviderRequest,
} from '../../../gen/sallyport/v1/provider_pb.ts';
import { checkClient, checkKind, checkRedirectUris, checkScopes } from '../../domain/federation/check-provider.ts';
import type { CreateProviderInput, ProviderKind, UpdateProviderInput } from '../../domain/federation/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import type { Violations } from '../../domain/violations.ts';
import { optionalText, parseEtag, parseRequestId } from './parse-text.ts';

export function parseCreateProvider(request: CreateProviderRequest, violations: Violations): CreateProviderInput {
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    displayName: optionalText(request.displayName, 'display_name', limits.displayNameChars, violations),
    kind: parseKind(request.kind, violations),
    clientId: request.clientId,
    clientSecret: request.clientSecret,
    scopes: request.scopes,
    redirectUris: request.redirectUris,
    linkByVerifiedEmail: request.linkByVerifiedEmail,
    allowSignUp: request.allowSignUp,
    disabled: request.disabled,
    requestId: parseRequestId(request.requestId, violations),
  };
  checkClient(input, violations);
  checkScopes(input.scopes, 'scopes', violations);
  checkRedirectUris(input.redirectUris, 'redirect_uris', violations);
  return input;
}

export function parseUpdateProvider(request: UpdateProviderRequest, violations: Violations): UpdateProviderInput {
  const { displayName } = request;
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    providerId: checkId(request.providerId, 'provider_id', violations),
    etag: parseEtag(request.etag, violations),
    displayName:
      displayName === undefined
        ? undefined
        : optionalText(displayName, 'display_name', limits.displayNameChars, violations),
    clientId: request.clientId,
    clientSecret: request.clientSecret,
    scopes: request.scopes?.scopes,
    redirectUris: request.redirectUris?.redirectUris,
    linkByVerifiedEmail: request.linkByVerifiedEmail,
    allowSignUp: request.allowSignUp,
    disabled: request.disabled,
  };
  checkClient(input, violations);
  if (input.scopes !== undefined) checkScopes(input.scopes, 'scopes.scopes', violations);
  if (input.redirectUris !== undefined) {
    checkRedirectUris(input.redirectUris, 'redirect_uris.redirect_uris', violations);
  }
  return input;
}

function parseKind(given: CreateProviderRequest['kind'], violations: Violations): ProviderKind {
  const kind = kindOf(given);
  if (kind === undefined) violations.add('kind', 'is required: one of oidc, google, microsoft, github');
  else checkKind(kind, violations);
  return kind ?? { kind: 'github' };
}

function kindOf(kind: CreateProviderRequest['kind']): ProviderKind | undefined {
  switch (kind.case) {
    case 'oidc':
      return oidcOf(kind.value);
    case 'google':
      return { kind: 'google' };
    case 'microsoft':
      return { kind: 'microsoft', tenantId: kind.value.tenantId.toLowerCase() };
    case 'github':
      return { kind: 'github' };
    case undefined:
      return undefined;
  }
}

function oidcOf({ issuer, maxAuthenticationAge, acrValues }: OidcProvider): ProviderKind {
  return {
    kind: 'oidc',
    issuer,
    // Whole seconds are what `max_age` has.
    ...(maxAuthenticationAge === undefined
      ? {}
      : { maxAuthenticationAgeMs: Number(maxAuthenticationAge.seconds) * 1000 }),
    ...(acrValues.length === 0 ? {} : { acrValues }),
  };
}
