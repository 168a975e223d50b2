import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Clock } from '../../platform/clock.ts';
import { type RandomSource, randomId } from '../../platform/random.ts';
import { apiKeyEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requestIdentity } from '../request-id.ts';
import { apiKeyChangeEffect, REMEMBERED_MS, type Settle } from '../session/revocation.ts';
import type { Draft, Store } from '../storage.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import type { Updates } from '../update.ts';
import { Violations } from '../violations.ts';
import { changedApiKey, endedReason, rotatedApiKey } from './api-key.ts';
import { newApiKeyText } from './api-key-text.ts';
import { checkApiKeyChanges } from './check-api-key.ts';
import type { ApiKeyDocument, RotateApiKeyInput, UpdateApiKeyInput } from './use-cases.ts';

// Changes of a living key. Each is one swap of its document with the effect that makes every replica read it again; the answer comes when that
// is in the log. Of two at once each builds on the other, because the swap that loses reads again.

export interface ChangeApiKeyPorts {
  readonly store: Store;
  readonly ring: KeyRing;
  readonly updates: Updates;
  readonly settle: Settle;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly tenants: TenantDirectory;
}

/** Throws TENANT_NOT_FOUND, API_KEY_NOT_FOUND, INVALID_ARGUMENT, and PRECONDITION_FAILED for another etag and for a key that has ended. */
export async function updateApiKey(
  ports: ChangeApiKeyPorts,
  call: CallContext,
  input: UpdateApiKeyInput,
): Promise<ApiKeyDocument> {
  const now = ports.clock.now();
  const violations = new Violations();
  checkApiKeyChanges(input.changes, now, violations);
  violations.throwIfAny();
  return change(ports, call, input, now, (key) => {
    if (input.etag !== '' && input.etag !== key.version) {
      throw new DomainError('PRECONDITION_FAILED', 'the key was changed since it was read; read it again');
    }
    return changedApiKey(key, input.changes, input.cleared);
  });
}

/**
 * Adds a secret; the one before works until `overlapMs` from now. A repeat with the same request id replaces the secret it added before, whose text
 * was lost with the answer. Throws as updateApiKey, and REQUEST_ID_REUSED.
 */
export async function rotateApiKey(
  ports: ChangeApiKeyPorts,
  call: CallContext,
  input: RotateApiKeyInput,
): Promise<{ readonly key: ApiKeyDocument; readonly secret: string }> {
  const { tenant, id, overlapMs, requestId } = input;
  const now = ports.clock.now();
  const request =
    requestId === ''
      ? undefined
      : requestIdentity(ports.ring, {
          method: 'RotateApiKey',
          tenant,
          callerName: call.caller.name,
          requestId,
          body: { id, overlapMs },
        });
  let secret = '';
  const key = await change(ports, call, input, now, (current) => {
    const isRepeat = request !== undefined && current.rotation?.requestId === request.id;
    if (isRepeat && current.rotation?.requestDigest !== request.digest) {
      throw new DomainError('REQUEST_ID_REUSED', 'this request_id was used before with another body');
    }
    const text = newApiKeyText(ports.random, current.test, current.id);
    secret = text.text;
    return rotatedApiKey(ports.ring, current, { text, now, overlapMs, isRepeat, request });
  });
  return { key, secret };
}

async function change(
  ports: ChangeApiKeyPorts,
  call: CallContext,
  { tenant, id }: { readonly tenant: string; readonly id: string },
  now: number,
  draftOf: (key: ApiKeyDocument) => Draft<ApiKeyDocument>,
): Promise<ApiKeyDocument> {
  await requireTenant(ports.tenants, tenant, call.signal);
  const effect = apiKeyChangeEffect(id, now + REMEMBERED_MS, randomId(ports.random));
  const updated = await ports.updates.update<ApiKeyDocument, undefined>(
    'apiKeys',
    ports.store.collection<ApiKeyDocument>('apiKeys'),
    tenant,
    id,
    (current) => {
      if (current === undefined) return { kind: 'keep', result: undefined };
      if (endedReason(current, Number.POSITIVE_INFINITY, now) !== undefined) {
        throw new DomainError('PRECONDITION_FAILED', 'the key is revoked or has expired; create another');
      }
      const draft = draftOf(current);
      const told = apiKeyEvent('api_key.changed', call, current, now, [effect.id]);
      const outbox = [...(current.outbox ?? []), effect, told];
      return { kind: 'write', draft: { ...draft, outbox }, result: undefined };
    },
    call.signal,
  );
  const key = updated.kind === 'done' ? updated.document : undefined;
  if (key === undefined) throw new DomainError('API_KEY_NOT_FOUND', 'the tenant has no API key with this id');
  await ports.settle('apiKeys', key, call.signal);
  // Clearing the effects made a new version, which is the etag.
  return (await ports.store.collection<ApiKeyDocument>('apiKeys').get(tenant, id, call.signal)) ?? key;
}
