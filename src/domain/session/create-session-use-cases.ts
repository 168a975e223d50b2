import { type CreateSessionPorts, createSession } from './create-session.ts';
import { type ExchangeTokenPorts, exchangeToken } from './exchange-token.ts';
import { type IssueTokensPorts, issueTokens } from './issue-tokens.ts';
import { type ListSessionsPorts, listSessions } from './list-sessions.ts';
import { type RevokeSessionsPorts, revokeSessions } from './revoke-sessions.ts';
import { type RotateRefreshPorts, rotateRefresh } from './rotate-refresh.ts';
import type { SessionUseCases } from './use-cases.ts';
import { type VerifySessionPorts, verifySession } from './verify-session.ts';
import { type VerifyTokenPorts, verifyToken } from './verify-token.ts';
import { type WatchRevocationsPorts, watchRevocations } from './watch-revocations.ts';

export type SessionPorts = IssueTokensPorts &
  ExchangeTokenPorts &
  RotateRefreshPorts &
  RevokeSessionsPorts &
  VerifyTokenPorts &
  CreateSessionPorts &
  VerifySessionPorts &
  ListSessionsPorts &
  WatchRevocationsPorts;

export function createSessionUseCases(ports: SessionPorts): SessionUseCases {
  return {
    createSession: (call, input) => createSession(ports, call, input),
    verifySession: (call, input) => verifySession(ports, call, input),
    listSessions: (call, input) => listSessions(ports, call, input),
    issueTokens: (call, input) => issueTokens(ports, call, input),
    exchangeToken: (call, input) => exchangeToken(ports, call, input),
    rotateRefresh: (call, input) => rotateRefresh(ports, call, input),
    revokeSessions: (call, tenant, target) => revokeSessions(ports, call, tenant, target),
    verifyToken: (call, tenant, token, audience) => verifyToken(ports, call, tenant, token, audience),
    watchRevocations: (call, tenant, position) => watchRevocations(ports, call, tenant, position),
  };
}
