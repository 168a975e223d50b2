import type { ExchangeTokenRequest } from '../../../gen/sallyport/v1/token_pb.ts';
import { limits } from '../../domain/limits.ts';
import type { ActorProof, ExchangeTokenInput } from '../../domain/session/use-cases.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { parseClient } from './parse-client.ts';
import { parseTokenOptions } from './parse-issue.ts';
import { opaqueText, requiredText } from './parse-text.ts';

export function parseExchangeToken(request: ExchangeTokenRequest): ExchangeTokenInput {
  const violations = new Violations();
  const input: ExchangeTokenInput = {
    tenant: parseTenantId(request.tenant, violations),
    subjectToken: opaqueText(request.subjectToken, 'subject_token', violations),
    ownAudience: requiredText(request.ownAudience, 'own_audience', limits.audienceChars, violations),
    request: parseTokenOptions(request.options, 'options', violations),
    actor: parseActor(request.actor, violations),
    client: parseClient(request.client, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseActor(actor: ExchangeTokenRequest['actor'], violations: Violations): ActorProof {
  switch (actor.case) {
    case 'actorToken':
      return { kind: 'access_token', token: opaqueText(actor.value, 'actor_token', violations) };
    case 'actorApiKey':
      return { kind: 'api_key', key: opaqueText(actor.value, 'actor_api_key', violations) };
    case undefined:
      return { kind: 'caller' };
  }
}
