import { create } from '@bufbuild/protobuf';
import {
  type RevokeSessionsRequest,
  RevokeSessionsResponseSchema,
  type SessionService,
} from '../../../gen/sallyport/v1/session_pb.ts';
import type { RevokeTarget, SessionUseCases } from '../../domain/session/use-cases.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import type { Handlers } from '../method.ts';
import { opaqueText } from '../parse/parse-text.ts';

export function sessionHandlers(sessions: Pick<SessionUseCases, 'revokeSessions'>): Handlers<typeof SessionService> {
  return {
    revokeSessions: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const target = parseTarget(request.selector, violations);
      violations.throwIfAny();
      const revokedCount = await sessions.revokeSessions(call, tenant, target);
      return create(RevokeSessionsResponseSchema, { revokedCount });
    },
  };
}

function parseTarget(selector: RevokeSessionsRequest['selector'], violations: Violations): RevokeTarget {
  switch (selector.case) {
    case 'sessionId':
      return { kind: 'session', sessionId: checkId(selector.value, 'session_id', violations) };
    case 'sessionToken':
      return { kind: 'session_token', token: opaqueText(selector.value, 'session_token', violations) };
    case 'refreshToken':
      return { kind: 'refresh_token', token: opaqueText(selector.value, 'refresh_token', violations) };
    case 'userId':
      return { kind: 'user', userId: checkId(selector.value, 'user_id', violations) };
    case undefined:
      violations.add('selector', 'is required: one of session_id, session_token, refresh_token, user_id');
      return { kind: 'session', sessionId: '' };
  }
}
