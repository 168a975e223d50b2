import type { SessionDocument } from './use-cases.ts';

// What a presented refresh token, whose MAC is right, means for its session (RFC 9700 section 4.14.2): a pure function, so that
// every replica that races another comes to the same answer from the same document.

export type RefreshVerdict =
  /** The token of the current generation: the next one is due. */
  | 'rotate'
  /** The answer to the last rotation was lost: the same successor again. */
  | 'repeat'
  /** A spent token: two parties hold tokens of this family, so it ends. */
  | 'reuse'
  | 'expired'
  | 'revoked'
  /** A generation that was never given out: changes nothing. */
  | 'unknown';

/** How often the previous token may be repeated within the grace time. */
export const MAX_REPEATS = 3;

export interface RefreshAttempt {
  readonly generation: number;
  readonly callerName: string;
  /** Absent is a device of its own: it equals only absent. */
  readonly deviceId: string | undefined;
  /** Epoch ms. */
  readonly now: number;
  /** Tenant setting; 0 allows no repeat at all. */
  readonly graceMs: number;
  /** Master key that the successor is made under. */
  readonly keyId: string;
}

export function judgeRefresh(session: SessionDocument, attempt: RefreshAttempt): RefreshVerdict {
  if (attempt.generation > session.generation) return 'unknown';
  if (session.revokedAt !== undefined) return 'revoked';
  if (isOver(session, attempt.now)) return 'expired';
  if (attempt.generation === session.generation) return 'rotate';
  return isRepeat(session, attempt) ? 'repeat' : 'reuse';
}

/** Whether the session has reached its idle or its absolute end. */
export function isOver(session: SessionDocument, now: number): boolean {
  return now >= Math.min(session.idleEndsAt, session.absoluteEndsAt);
}

function isRepeat(session: SessionDocument, attempt: RefreshAttempt): boolean {
  const last = session.lastRotation;
  if (last === undefined || attempt.generation !== session.generation - 1) return false;
  return (
    // The distance, so that a clock set back opens no window again.
    Math.abs(attempt.now - last.at) < attempt.graceMs &&
    last.repeats < MAX_REPEATS &&
    last.callerName === attempt.callerName &&
    last.deviceId === (attempt.deviceId ?? '')
  );
}

/** What a rotation or its repeat writes. The absolute end never moves. */
export function rotated(
  session: SessionDocument,
  verdict: 'rotate' | 'repeat',
  attempt: RefreshAttempt,
  idleMs: number,
): SessionDocument {
  if (verdict === 'repeat') {
    const last = session.lastRotation;
    // The key stays that of the first answer, which may have arrived after all.
    return last === undefined ? session : { ...session, lastRotation: { ...last, repeats: last.repeats + 1 } };
  }
  const { now: at, callerName, deviceId = '', keyId } = attempt;
  const idleEndsAt = Math.min(at + idleMs, session.absoluteEndsAt);
  return {
    ...session,
    generation: session.generation + 1,
    keyId,
    idleEndsAt,
    expiresAt: keptUntil(idleEndsAt),
    lastRotation: { at, callerName, deviceId, repeats: 0 },
  };
}

const KEPT_AFTER_END_MS = 24 * 60 * 60_000;

/** When a session that ended at `endsAt` may be swept: until then its tokens are told apart from unknown ones. */
export function keptUntil(endsAt: number): number {
  return endsAt + KEPT_AFTER_END_MS;
}
