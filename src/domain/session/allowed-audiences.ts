import type { Caller } from '../call.ts';
import type { ApiKeyDocument } from '../keys/use-cases.ts';
import type { TenantSettings } from '../tenant/tenant.ts';

// Who access tokens may be for. The tenant says it, and so does the credential by which a service comes: an audience must be allowed by each of
// them. It is asked whenever a token is signed, so that a list that shrank also holds for the sessions that were begun before.

export interface AudienceBound {
  readonly allowed: readonly string[];
  /** As in "must be one of the tenant's allowed audiences". */
  readonly whose: string;
}

/** Those of the tenant and of the calling service. */
export function audienceBounds(
  { allowedAudiences }: Pick<TenantSettings, 'allowedAudiences'>,
  { audiences }: Caller,
): readonly AudienceBound[] {
  const ofTenant = { allowed: allowedAudiences, whose: "the tenant's" };
  const bounds = allowedAudiences.length === 0 ? [] : [ofTenant];
  return audiences === undefined ? bounds : [...bounds, { allowed: audiences, whose: "the calling service's" }];
}

/** That of the API key by which a service of the tenant gets a token or acts. */
export function keyAudienceBounds({ allowedAudiences }: ApiKeyDocument): readonly AudienceBound[] {
  return allowedAudiences === undefined ? [] : [{ allowed: allowedAudiences, whose: "the API key's" }];
}

/** The first bound that the audience is outside of. */
export function boundAgainst(bounds: readonly AudienceBound[], audience: string): AudienceBound | undefined {
  return bounds.find(({ allowed }) => !allowed.includes(audience));
}

/** Whether a session's tokens, which are for all of these, may still be signed for this caller. */
export function isAudienceAllowed(
  settings: Pick<TenantSettings, 'allowedAudiences'>,
  caller: Caller,
  audience: readonly string[],
): boolean {
  const bounds = audienceBounds(settings, caller);
  return audience.every((each) => boundAgainst(bounds, each) === undefined);
}
