import type { KeyRing } from '../../crypto/key-ring.ts';
import type { RandomSource } from '../../platform/random.ts';
import type { CallContext } from '../call.ts';
import type { Replicas } from '../replica.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import type { UseMarks } from '../use-marks.ts';
import { csrfFault, isSafeMethod } from './check-csrf.ts';
import { csrfTokenOf } from './csrf.ts';
import type { JudgeSessionToken, SessionVerdict } from './judge-session-token.ts';
import { viewOf } from './session-view.ts';
import type { SessionCheck, VerifySessionInput } from './use-cases.ts';

export interface VerifySessionPorts {
  readonly tenants: TenantDirectory;
  readonly replicas: Replicas;
  readonly ring: KeyRing;
  readonly random: RandomSource;
  readonly judgeSessionToken: JudgeSessionToken;
  readonly marks: UseMarks;
}

/** One verdict on a browser's request. Synchronous when the session is in memory. Throws TENANT_NOT_FOUND. */
export function verifySession(
  ports: VerifySessionPorts,
  call: CallContext,
  input: VerifySessionInput,
): SessionCheck | Promise<SessionCheck> {
  if (ports.tenants.peek(input.tenant) === undefined) return verifyInUnloadedTenant(ports, call, input);
  // Only a look: a request that another site forged must not keep the session alive.
  const verdict = ports.judgeSessionToken(input.tenant, input.sessionToken, () => call.signal, false);
  return verdict instanceof Promise
    ? verdict.then((late) => check(ports, call, input, late))
    : check(ports, call, input, verdict);
}

async function verifyInUnloadedTenant(
  ports: VerifySessionPorts,
  call: CallContext,
  input: VerifySessionInput,
): Promise<SessionCheck> {
  await requireTenant(ports.tenants, input.tenant, call.signal);
  const verdict = await ports.judgeSessionToken(input.tenant, input.sessionToken, () => call.signal, false);
  return check(ports, call, input, verdict);
}

function check(
  ports: VerifySessionPorts,
  call: CallContext,
  input: VerifySessionInput,
  verdict: SessionVerdict,
): SessionCheck | Promise<SessionCheck> {
  if (verdict.kind === 'refused') return { active: false, reason: verdict.reason };
  const { session } = verdict;
  if (ports.replicas.peek(input.tenant)?.index.isDisabled(session.subject) !== false) {
    return { active: false, reason: 'SUBJECT_DISABLED' };
  }
  const fault = csrfFault(ports.ring, session, input.request);
  if (fault !== undefined) return { active: false, reason: fault };
  const used = ports.judgeSessionToken(input.tenant, input.sessionToken, () => call.signal);
  return used instanceof Promise ? used.then((late) => answer(ports, input, late)) : answer(ports, input, used);
}

function answer(ports: VerifySessionPorts, input: VerifySessionInput, verdict: SessionVerdict): SessionCheck {
  if (verdict.kind === 'refused') return { active: false, reason: verdict.reason };
  const { session, idleEndsAt } = verdict;
  const csrfToken = isSafeMethod(input.request.method) ? csrfTokenOf(ports.ring, ports.random, session) : undefined;
  return { active: true, session: { ...viewOf(session, ports.marks), idleEndsAt }, csrfToken };
}
