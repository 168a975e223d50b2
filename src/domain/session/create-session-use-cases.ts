import { type IssueTokensPorts, issueTokens } from './issue-tokens.ts';
import { type RevokeSessionsPorts, revokeSessions } from './revoke-sessions.ts';
import { type RotateRefreshPorts, rotateRefresh } from './rotate-refresh.ts';
import type { SessionUseCases } from './use-cases.ts';
import { type VerifyTokenPorts, verifyToken } from './verify-token.ts';

export type SessionPorts = IssueTokensPorts & RotateRefreshPorts & RevokeSessionsPorts & VerifyTokenPorts;

export function createSessionUseCases(ports: SessionPorts): SessionUseCases {
  return {
    issueTokens: (call, input) => issueTokens(ports, call, input),
    rotateRefresh: (call, input) => rotateRefresh(ports, call, input),
    revokeSessions: (call, tenant, target) => revokeSessions(ports, call, tenant, target),
    verifyToken: (call, tenant, token, audience) => verifyToken(ports, call, tenant, token, audience),
  };
}
