import type { CallContext, Caller } from '../call.ts';
import type { AuthenticateCaller } from '../caller/caller-ports.ts';
import type { Decision } from '../decision/use-cases.ts';
import { DomainError } from '../errors.ts';
import type { Replicas } from '../replica.ts';
import type { Json } from '../storage.ts';
import { formatSubject, type ResourceRef, type SubjectRef } from '../subject.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';
import { type ChangeApiKeyPorts, rotateApiKey, updateApiKey } from './change-api-key.ts';
import { type CreateApiKeyPorts, createApiKey } from './create-api-key.ts';
import type { KeyRotation } from './key-rotation.ts';
import { getApiKey, listApiKeys, type ReadApiKeyPorts } from './list-api-keys.ts';
import { type RevokeApiKeyPorts, revokeApiKey } from './revoke-api-key.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { ApiKeyDocument, KeyUseCases, VerifiedApiKey, VerifyApiKeyInput } from './use-cases.ts';
import type { ApiKeyVerdict, JudgeApiKey } from './verify-api-key.ts';

/**
 * What the subject may do within these scopes, from the tenant's state in memory: it was there a moment ago. Empty permission: only whether
 * the subject is disabled. Throws INDEX_STALE when that state is too old.
 */
export type DecideForSubject = (
  tenant: string,
  subject: SubjectRef,
  /** Undefined: nothing narrows. */
  scopes: readonly string[] | undefined,
  permission: string,
  resource: ResourceRef | undefined,
  context: { readonly [name: string]: Json | undefined },
) => Decision;

export interface KeyPorts extends CreateApiKeyPorts, RevokeApiKeyPorts, ChangeApiKeyPorts, ReadApiKeyPorts {
  readonly judgeApiKey: JudgeApiKey;
  readonly signingKeys: SigningKeys;
  readonly keyRotation: KeyRotation;
  readonly replicas: Pick<Replicas, 'load'>;
  readonly decideForSubject: DecideForSubject;
}

export function createKeyUseCases(ports: KeyPorts): KeyUseCases {
  return {
    createApiKey: (call, input) => createApiKey(ports, call, input),
    getApiKey: (call, tenant, id) => getApiKey(ports, call, tenant, id),
    listApiKeys: (call, input) => listApiKeys(ports, call, input),
    updateApiKey: (call, input) => updateApiKey(ports, call, input),
    rotateApiKey: (call, input) => rotateApiKey(ports, call, input),
    revokeApiKey: (call, tenant, id) => revokeApiKey(ports, call, tenant, id),
    verifyApiKey: (call, input) => verifyApiKey(ports, call, input),
    jwks: async (tenant, signal) => {
      await requireTenant(ports.tenants, tenant, signal);
      // A tenant in memory is followed, so the set told here is at most a poll old. Without word from the log, what is remembered must do.
      await ports.replicas.load(tenant, signal).catch(() => undefined);
      return ports.signingKeys.jwks(tenant);
    },
    listSigningKeys: async (call, tenant) => {
      await requireTenant(ports.tenants, tenant, call.signal);
      return ports.keyRotation.list(tenant, call.signal);
    },
    rotateSigningKey: async (call, tenant, ifActive) => {
      await requireTenant(ports.tenants, tenant, call.signal);
      return ports.keyRotation.rotate(call, tenant, ifActive, call.signal);
    },
    revokeSigningKey: async (call, tenant, kid) => {
      await requireTenant(ports.tenants, tenant, call.signal);
      return ports.keyRotation.revoke(call, tenant, kid, call.signal);
    },
  };
}

/** Who calls, by its API key of tenant `sallyport`; undefined: nobody. */
export function createCallerAuthenticator(judgeApiKey: JudgeApiKey): AuthenticateCaller {
  return (key, signal, address) => {
    const verdict = judgeApiKey(SYSTEM_TENANT, key, signal, address);
    return verdict instanceof Promise ? verdict.then(callerOf) : callerOf(verdict);
  };
}

/** Why a key was refused is not told to who presents it, but for its rate: that passes by itself. */
function callerOf(verdict: ApiKeyVerdict): Caller | undefined {
  if (verdict.kind === 'refused') {
    const { reason, retryAfterMs } = verdict;
    if (reason !== 'CREDENTIAL_RATE_LIMITED' || retryAfterMs === undefined) return undefined;
    throw new DomainError('CALLER_RATE_LIMITED', 'the rate limit of this API key is exhausted', { retryAfterMs });
  }
  const { key } = verdict;
  let caller = callers.get(key);
  if (caller === undefined) {
    const { subject, id, scopes, allowedAudiences: audiences } = key;
    const narrowing = scopes.length === 0 ? undefined : scopes;
    caller = { subject, name: formatSubject(subject), credentialId: id, scopes: narrowing, audiences };
    callers.set(key, caller);
  }
  return caller;
}

/** One caller per key as it was read: its name is then one text, whose place in a table is worked out once and not per call. */
const callers = new WeakMap<ApiKeyDocument, Caller>();

function verifyApiKey(
  ports: KeyPorts,
  call: CallContext,
  input: VerifyApiKeyInput,
): VerifiedApiKey | Promise<VerifiedApiKey> {
  if (ports.tenants.peek(input.tenant) === undefined) return verifyInUnloadedTenant(ports, call, input);
  const verdict = ports.judgeApiKey(
    input.tenant,
    input.apiKey,
    () => call.signal,
    () => input.client.ip,
  );
  return verdict instanceof Promise
    ? verdict.then((late) => decide(ports, input, late))
    : decide(ports, input, verdict);
}

async function verifyInUnloadedTenant(
  ports: KeyPorts,
  call: CallContext,
  input: VerifyApiKeyInput,
): Promise<VerifiedApiKey> {
  const settings = await ports.tenants.settings(input.tenant, call.signal);
  if (settings === undefined) return { decision: { effect: 'deny', reason: 'UNKNOWN_TENANT' } };
  return decide(
    ports,
    input,
    await ports.judgeApiKey(
      input.tenant,
      input.apiKey,
      () => call.signal,
      () => input.client.ip,
    ),
  );
}

/** Undefined: never. */
function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** One verdict: the key's own, then its owner's, narrowed by the key's scopes and no longer than the key lives. */
function decide(ports: KeyPorts, input: VerifyApiKeyInput, verdict: ApiKeyVerdict): VerifiedApiKey {
  const { key } = verdict;
  if (verdict.kind === 'refused') {
    return { decision: { effect: 'deny', reason: verdict.reason, subject: key?.subject }, key };
  }
  const { subject, scopes } = verdict.key;
  const narrowing = scopes.length === 0 ? undefined : scopes;
  const { permission, resource, context } = input;
  const decision = ports.decideForSubject(input.tenant, subject, narrowing, permission, resource, context);
  return { decision: { ...decision, subject, expiresAt: earlier(decision.expiresAt, verdict.validUntil) }, key };
}
