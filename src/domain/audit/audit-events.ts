import type { CallContext, ClientDevice } from '../call.ts';
import type { PerformedMethod, Rejection } from '../identity/use-cases.ts';
import type { SessionDocument } from '../session/use-cases.ts';
import type { AuditEvent, Effect } from '../storage.ts';
import { formatSubject, type SubjectRef } from '../subject.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';
import { type AuditEventType, type AuditedCall, type AuditFacts, auditEffect } from './audit-event.ts';

// One typed function per event. Those that follow a write give an effect for the outbox of the written document: a kill between the
// write and its event leaves the effect, and any replica finishes it. The others give facts for the buffer.

/** A user document, as far as events tell. `epoch` and `at` tell one write of it from the next. */
interface WrittenUser {
  readonly tenant: string;
  readonly id: string;
  readonly epoch: number;
}

/** A change of a user that follows a write: factors, passwords, status, addresses. `at`: epoch ms of the write. */
export function userEvent(
  type: Extract<
    AuditEventType,
    `factor.${string}` | `recovery_code${string}` | `password.${string}` | `user.${string}` | 'address.verified'
  >,
  call: CallContext,
  user: WrittenUser,
  at: number,
  more: Pick<AuditFacts, 'client' | 'reason' | 'details'> = {},
): Effect {
  const facts = {
    ...more,
    tenant: user.tenant,
    type,
    outcome: 'success',
    subject: userName(user.id),
    call,
    at,
  } as const;
  return auditEffect(facts, [user.id, user.epoch, at, call.requestId]);
}

/** A login that is complete. `sessionId` names it, whether it becomes a session or not. */
export function loginSucceeded(
  call: CallContext,
  login: { readonly tenant: string; readonly userId: string; readonly sessionId: string },
  methods: readonly PerformedMethod[],
  client: ClientDevice,
  at: number,
): Effect {
  const { tenant, userId, sessionId } = login;
  const provider = methods.find(({ providerId }) => providerId !== undefined)?.providerId;
  const details = {
    methods: methods.map(({ method }) => method).join(' '),
    ...(provider === undefined ? {} : { provider }),
  };
  const facts = {
    tenant,
    type: 'login.succeeded',
    outcome: 'success',
    subject: userName(userId),
    call,
    client,
    details,
    at,
  } as const;
  return auditEffect(facts, [sessionId]);
}

/** A password that did not open: wrong, locked, limited. `userId` where the identifier is somebody's. */
export function loginFailed(
  call: CallContext,
  login: { readonly tenant: string; readonly userId: string | undefined; readonly client: ClientDevice },
  { reason }: Rejection,
  at: number,
): AuditFacts {
  return { ...aboutUser('login.failed', call, login), outcome: 'failure', reason, at };
}

/** Attempts are refused from now on. `scope`: what was counted. */
export function loginLocked(
  call: CallContext,
  login: { readonly tenant: string; readonly userId: string | undefined; readonly client: ClientDevice },
  lock: { readonly scope: string; readonly lockMs: number },
  at: number,
): AuditFacts {
  const details = { scope: lock.scope, seconds: String(Math.round(lock.lockMs / 1000)) };
  return { ...aboutUser('login.locked', call, login), outcome: 'denied', reason: 'LOCKED', details, at };
}

/** A one-time or recovery code that was not taken. */
export function codeFailed(
  call: CallContext,
  user: { readonly tenant: string; readonly userId: string; readonly client: ClientDevice },
  { reason }: Rejection,
  at: number,
): AuditFacts {
  return { ...aboutUser('code.failed', call, user), outcome: 'failure', reason, at };
}

/** A manager forgot the failures of a user. */
export function loginUnlocked(call: CallContext, user: WrittenUser, at: number): Effect {
  const { tenant, id } = user;
  const facts = { tenant, type: 'login.unlocked', outcome: 'success', subject: userName(id), call, at } as const;
  return auditEffect(facts, [id, at, call.requestId]);
}

type SessionFacts = Pick<SessionDocument, 'tenant' | 'id' | 'subject' | 'kind' | 'methods' | 'client'>;

/** A session began. Without methods a caller vouched for the subject. */
export function sessionStarted(call: CallContext, session: SessionFacts, at: number): Effect {
  const methods = session.methods.map(({ method }) => method).join(' ');
  const details = { session: session.id, kind: session.kind, methods: methods === '' ? 'vouched' : methods };
  const facts = aboutSession('session.started', call, session, session.client, at);
  return auditEffect({ ...facts, details }, [session.id]);
}

/** A session's user proved more. */
export function sessionSteppedUp(call: CallContext, session: SessionFacts, client: ClientDevice, at: number): Effect {
  const details = { session: session.id, methods: session.methods.map(({ method }) => method).join(' ') };
  return auditEffect({ ...aboutSession('session.stepped_up', call, session, client, at), details }, [session.id, at]);
}

/** A session was ended, or its refresh token was used twice, which ended it. */
export function sessionEnded(call: CallContext, session: SessionFacts, because: string, at: number): Effect {
  const reused = because === 'reuse';
  const facts = aboutSession(reused ? 'token.reused' : 'session.revoked', call, session, undefined, at);
  const details = { session: session.id, because };
  return auditEffect({ ...facts, outcome: reused ? 'denied' : 'success', details }, [session.id, because]);
}

/** All sessions of a user were ended by raising the epoch. */
export function sessionsRevoked(call: CallContext, user: WrittenUser, at: number): Effect {
  const facts = {
    tenant: user.tenant,
    type: 'sessions.revoked',
    outcome: 'success',
    subject: userName(user.id),
    call,
    at,
  } as const;
  return auditEffect(facts, [user.id, user.epoch]);
}

/** An API key was made, changed or revoked; the subject is its owner. `write`: what tells this write from others of the key. */
export function apiKeyEvent(
  type: Extract<AuditEventType, `api_key.${string}`>,
  call: CallContext,
  key: { readonly tenant: string; readonly id: string; readonly subject: SubjectRef },
  at: number,
  write: readonly (string | number)[] = [],
): Effect {
  const subject = formatSubject(key.subject);
  const facts = {
    tenant: key.tenant,
    type,
    outcome: 'success',
    subject,
    call,
    details: { keyId: key.id },
    at,
  } as const;
  return auditEffect(facts, [key.id, ...write]);
}

/** A tenant was erased; in the tenant of calling services, because its own trail is read by nobody any more. */
export function tenantDeleted(call: CallContext, tenant: string, at: number): Effect {
  const facts = { tenant: SYSTEM_TENANT, type: 'tenant.deleted', outcome: 'success', call, at } as const;
  return auditEffect({ ...facts, details: { tenant } }, [tenant]);
}

/** A signing key was made, signs from now on (`rotated`), or was revoked; each happens to one key once. */
export function signingKeyEvent(
  type: Extract<AuditEventType, `signing_key.${string}`>,
  call: AuditedCall,
  tenant: string,
  kid: string,
  at: number,
): Effect {
  const facts = { tenant, type, outcome: 'success', call, details: { keyId: kid }, at } as const;
  return auditEffect(facts, [kid]);
}

/** A decision that was not an allow. `resourceUser`: the resource, where it is a user. */
export function decisionDenied(
  call: CallContext,
  denied: {
    readonly tenant: string;
    readonly subject: string | undefined;
    readonly reason: string;
    readonly permission: string;
    readonly resource: string | undefined;
    readonly resourceUser: string | undefined;
  },
  at: number,
): AuditFacts {
  const { tenant, subject, reason, permission, resource, resourceUser: about } = denied;
  const details = { permission, ...(resource === undefined ? {} : { resource }) };
  return { tenant, type: 'decision.denied', outcome: 'denied', subject, about, call, reason, details, at };
}

/** A calling service was refused. In the tenant of calling services, whatever tenant it asked about: that one may not exist. */
export function callerRefused(
  call: AuditedCall,
  refused: { readonly reason: string; readonly metadata: Readonly<Record<string, string>> },
  method: string,
  peer: string,
  at: number,
): AuditFacts {
  const type = refusals[refused.reason] ?? 'caller.denied';
  const details = { ...refused.metadata, method, peer };
  const subject = type === 'caller.unauthenticated' ? undefined : call.caller.name;
  return { tenant: SYSTEM_TENANT, type, outcome: 'denied', subject, call, reason: refused.reason, details, at };
}

const refusals: Readonly<Record<string, AuditEventType>> = {
  CALLER_NOT_PERMITTED: 'caller.denied',
  CALLER_UNAUTHENTICATED: 'caller.unauthenticated',
  CALLER_RATE_LIMITED: 'caller.rate_limited',
};

/** Events that could not be kept, by how many; in the tenant of calling services, where all of them are told. */
export function eventsDropped(call: AuditedCall, count: number, at: number): AuditFacts {
  return {
    tenant: SYSTEM_TENANT,
    type: 'audit.dropped',
    outcome: 'failure',
    call,
    details: { count: String(count) },
    at,
  };
}

function aboutUser(
  type: AuditEventType,
  call: CallContext,
  {
    tenant,
    userId,
    client,
  }: { readonly tenant: string; readonly userId: string | undefined; readonly client: ClientDevice },
): Pick<AuditFacts, 'tenant' | 'type' | 'subject' | 'call' | 'client'> {
  return { tenant, type, subject: userId === undefined ? undefined : userName(userId), call, client };
}

function aboutSession(
  type: AuditEventType,
  call: CallContext,
  session: SessionFacts,
  client: ClientDevice | undefined,
  at: number,
): AuditFacts {
  const subject = formatSubject(session.subject);
  return { tenant: session.tenant, type, outcome: 'success', subject, call, client, at };
}

function userName(userId: string): NonNullable<AuditEvent['subject']> {
  return `user:${userId}`;
}
