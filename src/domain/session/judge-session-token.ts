import type { Clock } from '../../platform/clock.ts';
import { createCredentialCache } from '../../platform/credential-cache.ts';
import type { DecisionReason } from '../decision/use-cases.ts';
import type { Replicas, RevokedSet } from '../replica.ts';
import type { Store } from '../storage.ts';
import type { SubjectRef } from '../subject.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import type { UseMarks } from '../use-marks.ts';
import { REMEMBERED_MS } from './revocation.ts';
import { userStands } from './session.ts';
import { isSessionTokenOf, parseSessionToken, type SessionToken } from './session-token.ts';
import type { SessionDocument } from './use-cases.ts';

// Judging the token of a cookie session. One that was recognized is remembered by its digest; time and the set of what is revoked are
// consulted at every use. Each use moves the idle end, by a mark that is written in batches.

export type SessionVerdict =
  /** `idleEndsAt`: when it ends unless used before. */
  | { readonly kind: 'valid'; readonly session: SessionDocument; readonly idleEndsAt: number }
  /** `subject` where the token was right. */
  | { readonly kind: 'refused'; readonly reason: DecisionReason; readonly subject?: SubjectRef };

/** Synchronous for a token in memory. The tenant must exist. Throws INDEX_STALE or a Fault when it cannot be told now. */
export type JudgeSessionToken = (
  tenant: string,
  token: string,
  signal: () => AbortSignal | undefined,
  /** False: only a look, which does not keep the session alive. */
  isUse?: boolean,
) => SessionVerdict | Promise<SessionVerdict>;

export interface JudgeSessionTokenPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly replicas: Replicas;
  readonly tenants: TenantDirectory;
  readonly marks: UseMarks;
}

interface RecognizedSession {
  readonly session: SessionDocument;
  /** Epoch ms; moves with each use in this process. */
  idleEndsAt: number;
}

const MAX_REMEMBERED = 20_000;
const INVALID: SessionVerdict = { kind: 'refused', reason: 'CREDENTIAL_INVALID' };

export function createSessionTokenJudge(ports: JudgeSessionTokenPorts): JudgeSessionToken {
  const { store, clock, replicas, tenants, marks } = ports;
  const sessions = store.collection<SessionDocument>('sessions');
  const cache = createCredentialCache<RecognizedSession>({ max: MAX_REMEMBERED, maxAgeMs: REMEMBERED_MS, clock });

  const judge = (
    recognized: RecognizedSession,
    revoked: RevokedSet,
    idleMs: number,
    isUse: boolean,
  ): SessionVerdict => {
    const { session } = recognized;
    const now = clock.now();
    const reason = endedReason(recognized, revoked, now);
    if (reason !== undefined) return { kind: 'refused', reason, subject: session.subject };
    if (isUse) {
      recognized.idleEndsAt = Math.min(now + idleMs, session.absoluteEndsAt);
      marks.note(session.tenant, session.id, now);
    }
    return { kind: 'valid', session, idleEndsAt: recognized.idleEndsAt };
  };
  const judgeCold = async (tenant: string, token: SessionToken, signal: AbortSignal | undefined, isUse: boolean) => {
    const { revoked } = await replicas.load(tenant, signal);
    const settings = tenants.peek(tenant) ?? (await tenants.settings(tenant, signal));
    if (settings === undefined) return INVALID;
    const keep = cache.begin(() => replicas.peek(tenant)?.revoked.position);
    const session = await sessions.get(tenant, token.sessionId, signal);
    if (session === undefined || !isSessionTokenOf(session, token)) return INVALID;
    const isEnded = session.revokedAt !== undefined || !(await userStands(store, session, signal));
    if (isEnded) return { kind: 'refused', reason: 'CREDENTIAL_REVOKED', subject: session.subject } as const;
    const lastUsedAt = Math.max(session.touchedAt ?? session.createdAt, marks.lastNoted(tenant, session.id) ?? 0);
    const idleEndsAt = Math.min(lastUsedAt + settings.cookieIdleMs, session.absoluteEndsAt);
    const recognized = { session, idleEndsAt };
    keep(token.digest, recognized);
    return judge(recognized, replicas.peek(tenant)?.revoked ?? revoked, settings.cookieIdleMs, isUse);
  };
  return (tenant, text, signal, isUse = true) => {
    const token = parseSessionToken(text);
    if (token === undefined) return INVALID;
    const known = cache.get(token.digest);
    const replica = known === undefined ? undefined : replicas.peek(tenant);
    const settings = replica === undefined ? undefined : tenants.peek(tenant);
    if (known === undefined || replica === undefined || settings === undefined) {
      return judgeCold(tenant, token, signal(), isUse);
    }
    if (known.session.tenant !== tenant) return INVALID;
    // Idle here, but perhaps used at another replica: its marks are in the store.
    if (clock.now() >= known.idleEndsAt && clock.now() < known.session.absoluteEndsAt) {
      return judgeCold(tenant, token, signal(), isUse);
    }
    return judge(known, replica.revoked, settings.cookieIdleMs, isUse);
  };
}

function endedReason(recognized: RecognizedSession, revoked: RevokedSet, now: number): DecisionReason | undefined {
  const { id, subject, epoch } = recognized.session;
  const isUserRevoked = subject.type === 'user' && epoch < revoked.userEpoch(subject.id);
  if (revoked.session(id) || isUserRevoked) return 'CREDENTIAL_REVOKED';
  return now >= recognized.idleEndsAt ? 'CREDENTIAL_EXPIRED' : undefined;
}
