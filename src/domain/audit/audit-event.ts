import { sha256 } from '../../crypto/keyed-digest.ts';
import type { CallContext, ClientDevice } from '../call.ts';
import type { AuditEvent, Effect, Json } from '../storage.ts';

// One schema for every security event, whatever wrote it: who called, about whom, from where, how it went, why, in which request. What
// identifies a person beside the subject is in one member, `identifying`, which goes when the person does.

export type AuditEventType =
  | 'login.succeeded'
  | 'login.failed'
  | 'login.locked'
  | 'login.unlocked'
  | 'code.failed'
  | 'recovery_code.used'
  | 'factor.enrollment_started'
  | 'factor.confirmed'
  | 'factor.removed'
  | 'recovery_codes.regenerated'
  | 'password.set'
  | 'password.changed'
  | 'password.reset'
  | 'password.reset_requested'
  | 'password.must_be_reset'
  | 'address.verified'
  | 'user.created'
  | 'user.changed'
  | 'user.disabled'
  | 'user.enabled'
  | 'user.deleted'
  | 'user.linked'
  | 'user.unlinked'
  | 'session.started'
  | 'session.stepped_up'
  | 'session.revoked'
  | 'sessions.revoked'
  | 'token.reused'
  | 'api_key.created'
  | 'api_key.changed'
  | 'api_key.revoked'
  | 'signing_key.made'
  | 'signing_key.rotated'
  | 'signing_key.revoked'
  | 'tenant.changed'
  | 'tenant.deleted'
  | 'provider.created'
  | 'provider.changed'
  | 'provider.deleted'
  | 'policy.applied'
  | 'grants.written'
  | 'subject.marked'
  | 'store.restored'
  | 'admin.recovered'
  | 'decision.denied'
  | 'caller.denied'
  | 'caller.unauthenticated'
  | 'caller.rate_limited'
  | 'audit.dropped';

/** Who called, and in which request. */
export type AuditedCall = Pick<CallContext, 'caller' | 'requestId'>;

/** For what no caller asked for: the service by itself. */
export const ownCall: AuditedCall = {
  caller: { subject: { type: 'service', id: 'sallyport' }, name: 'service:sallyport', credentialId: '' },
  requestId: 'none',
};

/** What one event says. No member may ever hold a password, token, hash or code; ids are fine. */
export interface AuditFacts {
  readonly tenant: string;
  readonly type: AuditEventType;
  readonly outcome: AuditEvent['outcome'];
  /** About whom: `user:<id>`, `service:<id>`. Undefined: nobody that is known. */
  readonly subject?: string | undefined;
  /** Whom it concerns beside the subject: `user:<id>`. Told as the detail `resource`; apart from the others because it goes when that user does. */
  readonly about?: string | undefined;
  readonly call: AuditedCall;
  /** The end user's device. */
  readonly client?: ClientDevice | undefined;
  /** Why it went as it did: a word of the contract, such as INVALID_CREDENTIALS. */
  readonly reason?: string | undefined;
  /** Further facts, all of them text. */
  readonly details?: Readonly<Record<string, string>> | undefined;
  /** Epoch ms. */
  readonly at: number;
}

/** The effect kind of an event that must follow a write. */
export const AUDIT_EFFECT = 'audit';

/** The event, under an id that nobody else makes: random for one that follows no write, else by `writtenEventId`. */
export function auditEvent(facts: AuditFacts, id: string): AuditEvent {
  const { tenant, type, outcome, subject, about, call, client, reason, details, at } = facts;
  const device = Object.entries(client ?? {}).filter(([, value]) => value !== undefined && value !== '');
  return {
    tenant,
    id,
    at,
    type,
    subject,
    outcome,
    details: {
      caller: call.caller.name,
      credential: call.caller.credentialId === '' ? undefined : call.caller.credentialId,
      requestId: call.requestId,
      reason,
      about,
      more: details === undefined ? undefined : { ...details },
      identifying: device.length === 0 ? undefined : Object.fromEntries(device),
    },
  };
}

/**
 * Id of the event of one write: the same however often its effect is performed. A digest, so that the id of a user that was deleted is
 * nowhere in it. `write` names the write: the document's id and what makes this change of it unlike every other.
 */
export function writtenEventId(type: AuditEventType, tenant: string, write: readonly (string | number)[]): string {
  return sha256(JSON.stringify([type, tenant, ...write])).slice(0, 22);
}

/** For the outbox of the document whose write this event is about. */
export function auditEffect(facts: AuditFacts, write: readonly (string | number)[]): Effect {
  const id = writtenEventId(facts.type, facts.tenant, write);
  return { id: `audit:${id}`, kind: AUDIT_EFFECT, event: jsonOf(auditEvent(facts, id)) };
}

/** The event of an effect, or undefined when a newer release wrote something that this one does not know. */
export function eventOfEffect(effect: Effect): AuditEvent | undefined {
  const event = effect['event'];
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return undefined;
  const { tenant, id, at, type, subject, outcome, details } = event as { readonly [member: string]: Json | undefined };
  if (typeof tenant !== 'string' || typeof id !== 'string' || typeof at !== 'number' || typeof type !== 'string') {
    return undefined;
  }
  if (outcome !== 'success' && outcome !== 'failure' && outcome !== 'denied') return undefined;
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return undefined;
  const known = typeof subject === 'string' ? subject : undefined;
  return { tenant, id, at, type, subject: known, outcome, details: details as AuditEvent['details'] };
}

function jsonOf(event: AuditEvent): Json {
  return { ...event, details: { ...event.details } };
}
