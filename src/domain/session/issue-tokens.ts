import { keyedDigest } from '../../crypto/keyed-digest.ts';
import { randomId } from '../../platform/random.ts';
import type { CallContext } from '../call.ts';
import { type ProofPorts, spendProof } from '../identity/proof.ts';
import type { Rejection } from '../identity/use-cases.ts';
import { requireUser } from '../identity/user.ts';
import { requestIdentity } from '../request-id.ts';
import type { SubjectRef } from '../subject.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import { Violations } from '../violations.ts';
import { audienceBounds } from './allowed-audiences.ts';
import { type IssueByApiKeyPorts, issueByApiKey } from './issue-by-api-key.ts';
import { type StartSessionPorts, startTokenSession } from './start-session.ts';
import { checkTokenOptions } from './token-options.ts';
import type { FinishedLogin, IssuedTokens, IssueProof, IssueTokensInput } from './use-cases.ts';

export type IssueTokensPorts = StartSessionPorts & ProofPorts & IssueByApiKeyPorts;

/**
 * Starts a session from an authentication token, or for a subject the caller vouches for. An authentication token decides the session by
 * itself, so a request id adds nothing to it but the check that the body is the same. Throws INVALID_ARGUMENT, TENANT_NOT_FOUND,
 * RESERVED_TENANT, USER_NOT_FOUND, REQUEST_ID_REUSED and LIMIT_EXCEEDED.
 */
export async function issueTokens(
  ports: IssueTokensPorts,
  call: CallContext,
  input: IssueTokensInput,
): Promise<IssuedTokens | Rejection> {
  const settings = await requireLoginTenant(ports.tenants, input.tenant, call.signal);
  // Before the proof is spent: a caller who corrects its request still has it.
  checkTokenOptions(input.request, audienceBounds(settings, call.caller), 'options');
  const { tenant, proof } = input;
  if (proof.kind === 'api_key') return issueByApiKey(ports, call, { ...input, key: proof.key }, settings);
  const request = identify(ports, call, input, proof);
  const login = await finishedLogin(ports, call, tenant, proof, request?.id ?? randomId(ports.random));
  if ('kind' in login) return login;
  return startTokenSession(ports, call, {
    login,
    options: input.request,
    client: input.client,
    requestDigest: request?.digest,
  });
}

/** Those that begin a session. */
type LoginProof = Exclude<IssueProof, { readonly kind: 'api_key' }>;

async function finishedLogin(
  ports: IssueTokensPorts,
  call: CallContext,
  tenant: string,
  proof: LoginProof,
  sessionId: string,
): Promise<FinishedLogin | Rejection> {
  if (proof.kind === 'subject') return vouchedLogin(ports, call, tenant, proof.subject, sessionId);
  const login = await spendProof(ports, call, tenant, proof.token);
  return login === 'PROOF_INVALID' ? { kind: 'rejection', reason: 'PROOF_INVALID' } : login;
}

async function vouchedLogin(
  ports: IssueTokensPorts,
  call: CallContext,
  tenant: string,
  subject: SubjectRef,
  sessionId: string,
): Promise<FinishedLogin | Rejection> {
  const violations = new Violations();
  if (subject.type !== 'user' && subject.type !== 'service') {
    violations.add('subject.type', 'must be `user` or `service`');
  }
  if (subject.relation !== undefined) violations.add('subject.relation', 'must be empty: tokens are for one subject');
  violations.throwIfAny();
  const login = { tenant, subject, methods: [], sessionId };
  if (subject.type === 'service') return { ...login, epoch: 0 };
  const user = await requireUser(ports.store, tenant, subject.id, call.signal);
  if (user.status === 'disabled') return { kind: 'rejection', reason: 'INVALID_CREDENTIALS' };
  return { ...login, epoch: user.epoch };
}

function identify(
  ports: IssueTokensPorts,
  call: CallContext,
  input: IssueTokensInput,
  proof: LoginProof,
): { readonly id: string; readonly digest: string } | undefined {
  const { tenant, requestId, request, client } = input;
  if (requestId === '') return undefined;
  // The token is a secret, so a keyed digest of it stands in.
  const about =
    proof.kind === 'subject' ? proof : { digest: keyedDigest(ports.ring, 'proof', ['IssueTokens', proof.token]) };
  const body = { about, request, client };
  return requestIdentity(ports.ring, { method: 'IssueTokens', tenant, callerName: call.caller.name, requestId, body });
}
