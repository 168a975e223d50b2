import { create } from '@bufbuild/protobuf';
import {
  type AuthenticateRequest,
  AuthenticateResponseSchema,
  type AuthenticationService,
  BeginFederatedLoginResponseSchema,
  type ConfirmTotpRequest,
  ConfirmTotpResponseSchema,
  EnrollTotpResponseSchema,
  type VerifyTotpRequest,
  VerifyTotpResponseSchema,
} from '../../../gen/sallyport/v1/authentication_pb.ts';
import type { CallContext } from '../../domain/call.ts';
import type { FederationUseCases } from '../../domain/federation/use-cases.ts';
import type { EnrollTotpInput, IdentityUseCases, LoginOutcome } from '../../domain/identity/use-cases.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { toBegun } from '../convert/to-begun.ts';
import { toConfirmation } from '../convert/to-confirmation.ts';
import { toRejection } from '../convert/to-issued.ts';
import { toLoginOutcome } from '../convert/to-login-outcome.ts';
import type { Handlers } from '../method.ts';
import { parseClient } from '../parse/parse-client.ts';
import { parsePassword, parseTotpCode, parseTotpTarget } from '../parse/parse-credential.ts';
import { parseBeginLogin, parseFederated } from '../parse/parse-federated.ts';
import { parseIssue } from '../parse/parse-issue.ts';
import { opaqueText } from '../parse/parse-text.ts';
import { factorHandlers, parseProofTarget, toEnrollment } from './factor-handlers.ts';
import { passwordHandlers } from './password-handlers.ts';

export function authenticationHandlers(
  identity: Pick<IdentityUseCases, 'authenticate' | 'verifyTotp' | 'enrollTotp' | 'confirmTotp'> &
    Parameters<typeof factorHandlers>[0] &
    Parameters<typeof passwordHandlers>[0],
  federation: Pick<FederationUseCases, 'beginLogin' | 'finishLogin'>,
): Handlers<typeof AuthenticationService> {
  return {
    ...passwordHandlers(identity),
    ...factorHandlers(identity),
    authenticate: async (call, request) => {
      const outcome = await authenticate(identity, federation, call, request);
      return create(AuthenticateResponseSchema, { outcome: toLoginOutcome(outcome) });
    },
    beginFederatedLogin: async (call, request) => {
      const violations = new Violations();
      const input = parseBeginLogin(request, violations);
      violations.throwIfAny();
      const outcome = await federation.beginLogin(call, input);
      return create(BeginFederatedLoginResponseSchema, { outcome: toBegun(outcome) });
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

async function authenticate(
  identity: Pick<IdentityUseCases, 'authenticate'>,
  federation: Pick<FederationUseCases, 'finishLogin'>,
  call: CallContext,
  { credential, ...request }: AuthenticateRequest,
): Promise<LoginOutcome> {
  const violations = new Violations();
  const tenant = parseTenantId(request.tenant, violations);
  const federated = credential.case === 'federated' ? parseFederated(credential.value, violations) : undefined;
  const password = credential.case === 'password' ? parsePassword(credential.value, violations) : undefined;
  if (credential.case === undefined) violations.add('credential', 'is required: one of password, federated');
  const client = parseClient(request.client, violations);
  const issue = parseIssue(request.issue, violations);
  violations.throwIfAny();
  if (federated !== undefined) return await federation.finishLogin(call, { ...federated, tenant, client, issue });
  const { identifier = '', password: text = '' } = password ?? {};
  return await identity.authenticate(call, { tenant, identifier, password: text, client, issue });
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
    issue: parseIssue(request.issue, violations),
  };
  if (request.issue !== undefined && input.target.kind !== 'challenge') {
    violations.add('issue', 'is only taken with challenge_token');
  }
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
