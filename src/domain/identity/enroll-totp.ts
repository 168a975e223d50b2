import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { TenantSettings } from '../tenant/tenant.ts';
import { openChallenge } from './challenge.ts';
import { alreadyEnrolled, factorTarget } from './factor-target.ts';
import type { IdentityParts } from './ports.ts';
import { spendProof } from './proof.ts';
import { newTotpSecret, totpSecretText, totpUri } from './totp.ts';
import { totpQrCode } from './totp-qr-code.ts';
import { sealTotpSecret } from './totp-seed.ts';
import type { EnrollTotpInput, IdentityUseCases, Rejection, TotpEnrollment } from './use-cases.ts';
import { hasFactor, requireUser, swapUser, userNotFound } from './user.ts';

/**
 * Begins an enrollment: a secret that does nothing until its first code is confirmed. Of two at once the later swap's secret stays, and
 * codes of the other one are refused. A kill leaves an unconfirmed secret at most, which the next enrollment replaces.
 * Throws TENANT_NOT_FOUND, RESERVED_TENANT, USER_NOT_FOUND, INVALID_ARGUMENT, FACTOR_ALREADY_ENROLLED.
 */
export async function enrollTotp(
  parts: IdentityParts,
  call: CallContext,
  input: Parameters<IdentityUseCases['enrollTotp']>[1],
): Promise<TotpEnrollment | Rejection> {
  const settings = await requireLoginTenant(parts.tenants, input.tenant, call.signal);
  const begun = await begin(parts, call, input, settings);
  if (begun.kind === 'rejection') return begun;
  const target = await factorTarget(parts, call, input.tenant, begun);
  if (target.kind === 'rejection') return target;
  const { user } = target;
  const secret = newTotpSecret(parts.random);
  const sealedSecret = await sealTotpSecret(parts.sealer, user.tenant, user.id, secret);
  const startedAt = parts.clock.now();
  const written = await swapUser<'written' | 'enrolled' | 'gone'>(
    parts,
    user.tenant,
    user.id,
    (current) => {
      if (current === undefined || current.status === 'deleting') return { kind: 'keep', result: 'gone' };
      if (hasFactor(current)) return { kind: 'keep', result: 'enrolled' };
      const told = userEvent('factor.enrollment_started', call, current, startedAt, { client: input.client });
      const outbox = [...(current.outbox ?? []), told];
      const draft = { ...current, outbox, totp: { sealedSecret, startedAt, lastStep: 0 } };
      return { kind: 'write', draft, result: 'written' };
    },
    call.signal,
  );
  if (written.kind !== 'done' || written.result === 'gone') throw userNotFound();
  if (written.result === 'enrolled') throw alreadyEnrolled();
  if (written.document !== undefined) await parts.outbox.settle('users', written.document, call.signal);
  const account = user.identifiers[0]?.value ?? user.id;
  const uri = totpUri(secret, parts.totpIssuer ?? 'Sallyport', account);
  const challengeToken = input.target.kind === 'proof' && begun.kind === 'challenge' ? begun.challengeToken : undefined;
  return { kind: 'enrollment', secret: totpSecretText(secret), uri, ...(await totpQrCode(uri)), challengeToken };
}

/** A proof is good for a minute and once, an enrollment takes longer: it becomes a challenge that ConfirmTotp finishes. */
async function begin(
  parts: IdentityParts,
  call: CallContext,
  { tenant, target }: Parameters<IdentityUseCases['enrollTotp']>[1],
  settings: TenantSettings,
): Promise<EnrollTotpInput['target'] | Rejection> {
  if (target.kind !== 'proof') return target;
  const login = await spendProof(parts, call, tenant, target.token);
  if (login === 'PROOF_INVALID') return { kind: 'rejection', reason: 'PROOF_INVALID' };
  const user = await requireUser(parts.store, tenant, login.subject.id, call.signal);
  if (hasFactor(user)) throw alreadyEnrolled();
  if (user.epoch !== login.epoch) return { kind: 'rejection', reason: 'PROOF_INVALID' };
  const steps = ['enroll_totp'] as const;
  return await openChallenge(parts, call, { user, methods: login.methods, steps }, settings.challengeMs);
}
