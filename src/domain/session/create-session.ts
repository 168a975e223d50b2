import type { CallContext } from '../call.ts';
import { type ProofPorts, spendProof } from '../identity/proof.ts';
import type { Rejection } from '../identity/use-cases.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import { type StartCookiePorts, startCookieSession } from './start-cookie-session.ts';
import type { CreateSessionInput, IssuedCookie } from './use-cases.ts';

export type CreateSessionPorts = StartCookiePorts & ProofPorts;

/**
 * Starts a cookie session from an authentication token. The token decides the session by itself, so however many calls of one caller bring
 * it at once, and whichever of their answers are lost, there is one session. Throws TENANT_NOT_FOUND, RESERVED_TENANT and LIMIT_EXCEEDED.
 */
export async function createSession(
  ports: CreateSessionPorts,
  call: CallContext,
  input: CreateSessionInput,
): Promise<IssuedCookie | Rejection> {
  await requireLoginTenant(ports.tenants, input.tenant, call.signal);
  const login = await spendProof(ports, call, input.tenant, input.authenticationToken);
  if (login === 'PROOF_INVALID') return { kind: 'rejection', reason: 'PROOF_INVALID' };
  return startCookieSession(ports, call, login, input.request, input.client);
}
