import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Clock } from '../../platform/clock.ts';
import { Fault } from '../../platform/faults.ts';
import type { CallContext } from '../call.ts';
import type { Rejection, RejectionReason } from '../identity/use-cases.ts';
import type { AccessTokens } from '../keys/access-token.ts';
import type { Store } from '../storage.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory, TenantSettings } from '../tenant/tenant.ts';
import { isAudienceAllowed } from './allowed-audiences.ts';
import { judgeRefresh, type RefreshAttempt, rotated } from './refresh-policy.ts';
import { isRefreshTokenOf, parseRefreshToken, type RefreshToken } from './refresh-token.ts';
import type { Settle } from './revocation.ts';
import { revokedSession, userStands } from './session.ts';
import { narrowScopes } from './token-options.ts';
import { tokenPairOf } from './token-pair.ts';
import type { IssuedTokens, RotateRefreshInput, SessionDocument } from './use-cases.ts';

export interface RotateRefreshPorts {
  readonly store: Store;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly tenants: TenantDirectory;
  readonly accessTokens: AccessTokens;
  readonly settle: Settle;
}

// However many use one token at once, the document changes at most five times: one rotation, three repeats, one revocation. So
// whoever loses a race looks again, without a pause, and is done within these attempts unless another token of the family is in play.
const ATTEMPTS = 8;

/** What one look at the document came to; `lost`: somebody else wrote first, look again. */
type Step = IssuedTokens | Rejection | 'lost';

/**
 * Exchanges a refresh token for the next pair: one read of the session, one of the user, one swap. Of any number of uses at once one swap
 * rotates, and all that are answered with tokens get the same successor. A kill after the swap, or a lost answer, leaves a session whose
 * previous token may be repeated within the grace time. Throws INVALID_ARGUMENT for scopes beyond the session's, before anything is spent.
 */
export async function rotateRefresh(
  ports: RotateRefreshPorts,
  call: CallContext,
  input: RotateRefreshInput,
): Promise<IssuedTokens | Rejection> {
  const settings = await requireLoginTenant(ports.tenants, input.tenant, call.signal);
  const token = parseRefreshToken(input.refreshToken);
  if (token === undefined) return rejection('REFRESH_UNKNOWN');
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const step = await rotateOnce(ports, call, input, token, settings);
    if (step !== 'lost') return step;
  }
  throw new Fault('CONTENTION', 'the session changed too often; try again', { retryAfterMs: 100 });
}

async function rotateOnce(
  ports: RotateRefreshPorts,
  call: CallContext,
  input: RotateRefreshInput,
  token: RefreshToken,
  settings: TenantSettings,
): Promise<Step> {
  const sessions = ports.store.collection<SessionDocument>('sessions');
  const session = await sessions.get(input.tenant, token.sessionId, call.signal);
  if (session?.kind !== 'refresh' || !isRefreshTokenOf(ports.ring, session, token)) return rejection('REFRESH_UNKNOWN');
  const attempt: RefreshAttempt = {
    generation: token.generation,
    callerName: call.caller.name,
    deviceId: input.client.deviceId,
    now: ports.clock.now(),
    graceMs: settings.refreshGraceMs,
    keyId: ports.ring.currentId,
  };
  const verdict = judgeRefresh(session, attempt);
  switch (verdict) {
    case 'unknown':
      return rejection('REFRESH_UNKNOWN');
    case 'expired':
      return rejection('REFRESH_EXPIRED');
    case 'revoked':
      // Whoever revoked it may have died before it was in the log; the answer comes only when it is.
      await ports.settle('sessions', session, call.signal);
      return rejection('SESSION_REVOKED');
    case 'reuse': {
      const swapped = await sessions.replace(
        revokedSession(call, session, 'reuse', attempt.now),
        session.version,
        call.signal,
      );
      if (swapped.kind !== 'replaced') return 'lost';
      await ports.settle('sessions', swapped.document, call.signal);
      return rejection('REFRESH_REUSED');
    }
    case 'rotate':
    case 'repeat': {
      const scopes = narrowScopes(session.tokens?.scopes ?? [], input.scopes);
      // Before anything is spent: the session goes on where the list is widened again.
      if (!isAudienceAllowed(settings, call.caller, session.tokens?.audience ?? [])) {
        return rejection('AUDIENCE_NOT_ALLOWED');
      }
      if (!(await userStands(ports.store, session, call.signal))) return rejection('SESSION_REVOKED');
      const next = rotated(session, verdict, attempt, settings.sessionIdleMs);
      const swapped = await sessions.replace(next, session.version, call.signal);
      if (swapped.kind !== 'replaced') return 'lost';
      return tokenPairOf(ports, swapped.document, token.generation + 1, scopes, settings, call.signal);
    }
  }
}

function rejection(reason: RejectionReason): Rejection {
  return { kind: 'rejection', reason };
}
