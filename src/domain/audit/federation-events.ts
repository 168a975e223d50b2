import type { CallContext, ClientDevice } from '../call.ts';
import type { FederationFailure } from '../identity/use-cases.ts';
import type { Effect } from '../storage.ts';
import { type AuditEventType, type AuditFacts, auditEffect } from './audit-event.ts';

// Events of identity providers and of logins by them that failed. One that succeeds is `login.succeeded` like any other, with the provider
// among its details.

/** A provider was registered, changed or removed. `at`: epoch ms of the write, which tells it from others of the provider. */
export function providerEvent(
  type: Extract<AuditEventType, `provider.${string}`>,
  call: CallContext,
  provider: { readonly tenant: string; readonly id: string },
  at: number,
  details: Readonly<Record<string, string>> = {},
): Effect {
  const { tenant, id } = provider;
  const facts = { tenant, type, outcome: 'success', call, details: { provider: id, ...details }, at } as const;
  return auditEffect(facts, [id, at, call.requestId]);
}

/** `more`: what the provider or the check of its answer said, in a word. `userId` where the person has an account. */
export function federatedLoginFailed(
  call: CallContext,
  login: {
    readonly tenant: string;
    readonly providerId: string | undefined;
    readonly userId: string | undefined;
    readonly client: ClientDevice;
  },
  failure: FederationFailure,
  more: string,
  at: number,
): AuditFacts {
  const { tenant, providerId, userId, client } = login;
  return {
    tenant,
    type: 'login.failed',
    outcome: 'failure',
    subject: userId === undefined ? undefined : `user:${userId}`,
    call,
    client,
    reason: 'FEDERATION_FAILED',
    details: { failure, because: more, ...(providerId === undefined ? {} : { provider: providerId }) },
    at,
  };
}
