import { create } from '@bufbuild/protobuf';
import {
  type AuthenticateRequest,
  AuthenticateResponseSchema,
  type AuthenticationService,
  type ConfirmTotpRequest,
  ConfirmTotpResponseSchema,
  EnrollTotpResponseSchema,
  type VerifyTotpRequest,
  VerifyTotpResponseSchema,
} from '../../../gen/sallyport/v1/authentication_pb.ts';
import type { EnrollTotpInput, IdentityUseCases } from '../../domain/identity/use-cases.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { toConfirmation } from '../convert/to-confirmation.ts';
import { toRejection } from '../convert/to-issued.ts';
import { toLoginOutcome } from '../convert/to-login-outcome.ts';
import type { Handlers } from '../method.ts';
import { parseClient } from '../parse/parse-client.ts';
import { parsePassword, parseTotpCode, parseTotpTarget } from '../parse/parse-credential.ts';
import { parseIssue } from '../parse/parse-issue.ts';
import { opaqueText } from '../parse/parse-text.ts';
import { factorHandlers, parseProofTarget, toEnrollment } from './factor-handlers.ts';
import { passwordHandlers } from './password-handlers.ts';

export function authenticationHandlers(
  identity: Pick<IdentityUseCases, 'authenticate' | 'verifyTotp' | 'enrollTotp' | 'confirmTotp'> &
    Parameters<typeof factorHandlers>[0] &
    Parameters<typeof passwordHandlers>[0],
): Handlers<typeof AuthenticationService> {
  return {
    ...passwordHandlers(identity),
    ...factorHandlers(identity),
    authenticate: async (call, request) => {
      const outcome = await identity.authenticate(call, parseAuthenticate(request));
      return create(AuthenticateResponseSchema, { outcome: toLoginOutcome(outcome) });
    },
    verifyTotp: async (call, request) => {
      const outcome = await identity.verifyTotp(call, parseVerifyTotp(request));
      return create(VerifyTotpResponseSchema, { outcome: toLoginOutcome(outcome) });
    },
    enrollTotp: async (call, request) => {
      const violations = new Violations();
      const { target } = request;
      const client = parseClient(request.client, violations);
      const input =
        target.case === 'authenticationToken'
          ? { tenant: parseTenantId(request.tenant, violations), target: parseProofTarget(target.value, violations) }
          : parseEnrollment({ tenant: request.tenant, target }, violations);
      violations.throwIfAny();
      const outcome = await identity.enrollTotp(call, { ...input, client });
      return create(EnrollTotpResponseSchema, {
        outcome:
          outcome.kind === 'enrollment'
            ? { case: 'enrollment', value: toEnrollment(outcome) }
            : { case: 'rejection', value: toRejection(outcome) },
      });
    },
    confirmTotp: async (call, request) => {
      const outcome = await identity.confirmTotp(call, parseConfirmTotp(request));
      return create(ConfirmTotpResponseSchema, {
        outcome:
          outcome.kind === 'confirmed'
            ? { case: 'confirmation', value: toConfirmation(outcome) }
            : { case: 'rejection', value: toRejection(outcome) },
      });
    },
  };
}

function parseAuthenticate(request: AuthenticateRequest): Parameters<IdentityUseCases['authenticate']>[1] {
  const violations = new Violations();
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    ...parsePassword(request.credential, violations),
    client: parseClient(request.client, violations),
    issue: parseIssue(request.issue, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseVerifyTotp(request: VerifyTotpRequest): Parameters<IdentityUseCases['verifyTotp']>[1] {
  const violations = new Violations();
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    target: parseTotpTarget(request.target, violations),
    code: parseTotpCode(request.code, violations),
    client: parseClient(request.client, violations),
    issue: parseIssue(request.issue, violations),
  };
  if (request.issue !== undefined && input.target.kind !== 'challenge') {
    violations.add('issue', 'is only taken with challenge_token');
  }
  violations.throwIfAny();
  return input;
}

function parseConfirmTotp(request: ConfirmTotpRequest): Parameters<IdentityUseCases['confirmTotp']>[1] {
  const violations = new Violations();
  const input = {
    ...parseEnrollment(request, violations),
    code: parseTotpCode({ case: 'totpCode', value: request.totpCode }, violations).value,
    client: parseClient(request.client, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseEnrollment(
  request: Pick<ConfirmTotpRequest, 'tenant' | 'target'>,
  violations: Violations,
): EnrollTotpInput {
  const tenant = parseTenantId(request.tenant, violations);
  const { target } = request;
  switch (target.case) {
    case 'userId':
      return { tenant, target: { kind: 'user', userId: checkId(target.value, 'user_id', violations) } };
    case 'challengeToken': {
      const challengeToken = opaqueText(target.value, 'challenge_token', violations);
      return { tenant, target: { kind: 'challenge', challengeToken } };
    }
    case undefined:
      violations.add('target', 'is required: one of user_id, challenge_token');
      return { tenant, target: { kind: 'user', userId: '' } };
  }
}
