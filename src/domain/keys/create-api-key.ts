import type { KeyRing } from '../../crypto/key-ring.ts';
import type { Clock } from '../../platform/clock.ts';
import { Fault } from '../../platform/faults.ts';
import type { RandomSource } from '../../platform/random.ts';
import { apiKeyEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requireUser } from '../identity/user.ts';
import { limits } from '../limits.ts';
import { requestIdentity } from '../request-id.ts';
import type { Settle } from '../session/revocation.ts';
import type { Collection, Store } from '../storage.ts';
import { formatSubject } from '../subject.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import { Violations } from '../violations.ts';
import { draftApiKey } from './api-key.ts';
import { apiKeyId, newApiKeyText } from './api-key-text.ts';
import { checkApiKeyChanges } from './check-api-key.ts';
import type { ApiKeyDocument, CreateApiKeyInput } from './use-cases.ts';

export interface CreateApiKeyPorts {
  readonly store: Store;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly tenants: TenantDirectory;
  readonly settle: Settle;
}

interface CreatedApiKey {
  readonly key: ApiKeyDocument;
  readonly secret: string | undefined;
}

/**
 * Makes a key. However many calls with one request id arrive at once, the insert makes one key; all but its maker get it without the
 * secret. Throws INVALID_ARGUMENT, TENANT_NOT_FOUND, USER_NOT_FOUND, REQUEST_ID_REUSED and LIMIT_EXCEEDED.
 */
export async function createApiKey(
  ports: CreateApiKeyPorts,
  call: CallContext,
  input: CreateApiKeyInput,
): Promise<CreatedApiKey> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  checkInput(input, ports.clock.now());
  const apiKeys = ports.store.collection<ApiKeyDocument>('apiKeys');
  const request = identify(ports.ring, call, input);
  if (request !== undefined) {
    const first = await apiKeys.get(input.tenant, request.id, call.signal);
    if (first !== undefined) return repeated(first, request.digest);
  }
  if (input.owner.type === 'user') await requireUser(ports.store, input.tenant, input.owner.id, call.signal);
  const now = ports.clock.now();
  await requireRoom(apiKeys, input, now, call.signal);
  const text = newApiKeyText(ports.random, input.test, request?.id);
  const draft = draftApiKey(ports.ring, { ...input, text, subject: input.owner, requestDigest: request?.digest }, now);
  const created = apiKeyEvent('api_key.created', call, draft, now);
  const inserted = await apiKeys.insert({ ...draft, outbox: [created] }, call.signal);
  if (inserted.kind === 'inserted') {
    // The secret is told this once, so it is told even if the event has to wait for the sweeper.
    const settled = await ports.settle('apiKeys', inserted.document, call.signal).then(
      () => apiKeys.get(input.tenant, text.id, call.signal),
      () => undefined,
    );
    return { key: settled ?? inserted.document, secret: text.text };
  }
  const winner = await apiKeys.get(input.tenant, text.id, call.signal);
  if (winner === undefined || request === undefined)
    throw new Fault('CONTENTION', 'the key could not be made; try again');
  return repeated(winner, request.digest);
}

function identify(
  ring: KeyRing,
  call: CallContext,
  input: CreateApiKeyInput,
): { readonly id: string; readonly digest: string } | undefined {
  const { tenant, requestId, owner, displayName, test, scopes, validUntil } = input;
  const { allowedNetworks, rateLimit, metadata, allowedAudiences } = input;
  if (requestId === '') return undefined;
  const body = { owner, displayName, test, scopes, validUntil, allowedNetworks, rateLimit, metadata, allowedAudiences };
  const callerName = call.caller.name;
  const { id, digest } = requestIdentity(ring, { method: 'CreateApiKey', tenant, callerName, requestId, body });
  return { id: apiKeyId(Buffer.from(id, 'base64url')), digest };
}

function repeated(key: ApiKeyDocument, digest: string): CreatedApiKey {
  if (key.requestDigest !== digest) {
    throw new DomainError('REQUEST_ID_REUSED', 'this request_id was used before with another body');
  }
  return { key, secret: undefined };
}

function checkInput(input: CreateApiKeyInput, now: number): void {
  const violations = new Violations();
  const { type, relation } = input.owner;
  if (type !== 'user' && type !== 'service') violations.add('owner.type', 'must be `user` or `service`');
  if (relation !== undefined) violations.add('owner.relation', 'must be empty: a key acts for one subject');
  checkApiKeyChanges(input, now, violations);
  violations.throwIfAny();
}

/** Checked by listing: callers that create at once may overshoot by their number. */
async function requireRoom(
  apiKeys: Collection<ApiKeyDocument>,
  input: CreateApiKeyInput,
  now: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let living = 0;
  let after: string | undefined;
  for (;;) {
    const page = { owner: formatSubject(input.owner), after, limit: limits.pageSize };
    const keys = await apiKeys.list(input.tenant, page, signal);
    living += keys.filter((key) => key.revokedAt === undefined && now < (key.validUntil ?? now + 1)).length;
    if (living >= limits.apiKeysPerOwner) {
      throw new DomainError('LIMIT_EXCEEDED', `the owner has ${limits.apiKeysPerOwner} living keys; revoke one first`, {
        metadata: { limit: 'apiKeysPerOwner' },
      });
    }
    after = keys.at(-1)?.id;
    if (keys.length < limits.pageSize) return;
  }
}
