import { create, type JsonObject } from '@bufbuild/protobuf';
import { DecisionReason as Reason } from '../../../gen/sallyport/v1/decision_pb.ts';
import {
  type Actor,
  ActorSchema,
  type VerifyTokenResponse,
  VerifyTokenResponseSchema,
} from '../../../gen/sallyport/v1/token_pb.ts';
import type { ActorClaim } from '../../domain/keys/access-token-claims.ts';
import type { TokenIntrospection } from '../../domain/session/use-cases.ts';
import { reusable } from '../encode-message.ts';
import { toSubject } from './to-decision.ts';
import { toTimestamp } from './to-timestamp.ts';

/** RFC 7662 in the names of the contract. An inactive token says nothing but why, for the caller's logs. */
export function toVerifyTokenResponse(tenant: string, found: TokenIntrospection): VerifyTokenResponse {
  if (!found.active) return create(VerifyTokenResponseSchema, { active: false, inactiveReason: Reason[found.reason] });
  const known = made.get(found);
  if (known !== undefined) return known;
  const message = reusable(activeResponse(tenant, found));
  made.set(found, message);
  return message;
}

/** Messages of tokens in memory. They are encoded and never changed, so the next use of a token gets the same one. */
const made = new WeakMap<TokenIntrospection, VerifyTokenResponse>();

function activeResponse(
  tenant: string,
  found: Extract<TokenIntrospection, { readonly active: true }>,
): VerifyTokenResponse {
  return create(VerifyTokenResponseSchema, {
    active: true,
    claims: {
      issuer: found.issuer,
      subject: toSubject(found.subject),
      audience: [...found.audience],
      expireTime: toTimestamp(found.expiresAt),
      issueTime: toTimestamp(found.issuedAt),
      tokenId: found.tokenId,
      clientId: found.clientId,
      scopes: [...found.scopes],
      sessionId: found.sessionId,
      tenant,
      authenticationTime: found.authTime === 0 ? undefined : toTimestamp(found.authTime),
      amr: [...found.methods],
      // Stored attributes are JSON by the storage port's law; only their type is wider (readonly, undefined members).
      claims: JSON.parse(JSON.stringify(found.claims)) as JsonObject,
      tokenType: 'Bearer',
      roles: [...found.roles],
      ...(found.actor === undefined ? {} : { actor: toActor(found.actor) }),
    },
  });
}

function toActor({ subject, tenant, act }: ActorClaim): Actor {
  const message = create(ActorSchema, { subject: toSubject(subject), tenant });
  if (act !== undefined) message.actor = toActor(act);
  return message;
}
