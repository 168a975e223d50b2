import { create } from '@bufbuild/protobuf';
import { DecisionReason } from '../../../gen/sallyport/v1/decision_pb.ts';
import {
  CreateSessionResponseSchema,
  ListSessionsResponseSchema,
  RevokeSessionsResponseSchema,
  type SessionService,
  type VerifySessionResponse,
  VerifySessionResponseSchema,
} from '../../../gen/sallyport/v1/session_pb.ts';
import type { SessionCheck, SessionUseCases } from '../../domain/session/use-cases.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { toCookieSession, toRejection } from '../convert/to-issued.ts';
import { toSession } from '../convert/to-session.ts';
import { mapAnswer } from '../map-answer.ts';
import type { Handlers } from '../method.ts';
import {
  parseCreateSession,
  parseListSessions,
  parseRevokeTarget,
  parseVerifySession,
} from '../parse/parse-session.ts';

type Sessions = Pick<SessionUseCases, 'createSession' | 'verifySession' | 'listSessions' | 'revokeSessions'>;

export function sessionHandlers(sessions: Sessions): Handlers<typeof SessionService> {
  return {
    createSession: async (call, request) => {
      const made = await sessions.createSession(call, parseCreateSession(request));
      return create(CreateSessionResponseSchema, {
        outcome:
          made.kind === 'cookie'
            ? { case: 'session', value: toCookieSession(made) }
            : { case: 'rejection', value: toRejection(made) },
      });
    },
    verifySession: (call, request) =>
      mapAnswer(sessions.verifySession(call, parseVerifySession(request)), toVerifySessionResponse),
    listSessions: async (call, request) => {
      const page = await sessions.listSessions(call, parseListSessions(request));
      return create(ListSessionsResponseSchema, {
        sessions: page.sessions.map(toSession),
        nextPageToken: page.nextPageToken,
      });
    },
    revokeSessions: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const target = parseRevokeTarget(request.selector, violations);
      violations.throwIfAny();
      const revokedCount = await sessions.revokeSessions(call, tenant, target);
      return create(RevokeSessionsResponseSchema, { revokedCount });
    },
  };
}

function toVerifySessionResponse(found: SessionCheck): VerifySessionResponse {
  if (!found.active) {
    return create(VerifySessionResponseSchema, { active: false, inactiveReason: DecisionReason[found.reason] });
  }
  return create(VerifySessionResponseSchema, {
    active: true,
    session: toSession(found.session),
    csrfToken: found.csrfToken ?? '',
  });
}
