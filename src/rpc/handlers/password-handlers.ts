import { create } from '@bufbuild/protobuf';
import {
  type AuthenticationService,
  type ChangePasswordRequest,
  ChangePasswordResponseSchema,
} from '../../../gen/sallyport/v1/authentication_pb.ts';
import {
  type CheckPasswordRequest,
  CheckPasswordResponseSchema,
  ConfirmVerificationResponseSchema,
  PasswordRule,
  RequestPasswordResetResponseSchema,
  RequestVerificationResponseSchema,
  ResetPasswordResponseSchema,
} from '../../../gen/sallyport/v1/password_pb.ts';
import type { PasswordRule as Rule } from '../../domain/identity/password-policy.ts';
import type { ChangePasswordInput, CheckPasswordInput, IdentityUseCases } from '../../domain/identity/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { toRejection } from '../convert/to-issued.ts';
import { toLoginOutcome } from '../convert/to-login-outcome.ts';
import { toTimestamp } from '../convert/to-timestamp.ts';
import { toUser } from '../convert/to-user.ts';
import type { Handlers } from '../method.ts';
import { parseClient } from '../parse/parse-client.ts';
import { parseIssue } from '../parse/parse-issue.ts';
import { opaqueText, optionalText, passwordText, requiredText } from '../parse/parse-text.ts';

const MAX_CONTEXT = 10;

const rules: Readonly<Record<Rule, PasswordRule>> = {
  min_length: PasswordRule.MIN_LENGTH,
  upper_case: PasswordRule.UPPER_CASE,
  number: PasswordRule.NUMBER,
  special: PasswordRule.SPECIAL,
  common: PasswordRule.COMMON,
  guessable: PasswordRule.GUESSABLE,
  context: PasswordRule.CONTEXT,
  breached: PasswordRule.BREACHED,
  unchanged: PasswordRule.UNCHANGED,
};

type PasswordMethod =
  | 'checkPassword'
  | 'changePassword'
  | 'requestPasswordReset'
  | 'resetPassword'
  | 'requestVerification'
  | 'confirmVerification';

/** AuthenticationService, as far as passwords and mailed tokens go. */
export function passwordHandlers(
  identity: Pick<IdentityUseCases, PasswordMethod>,
): Pick<Handlers<typeof AuthenticationService>, PasswordMethod> {
  return {
    checkPassword: async (call, request) => {
      const { broken, score } = await identity.checkPassword(call, parseCheck(request));
      return create(CheckPasswordResponseSchema, {
        acceptable: broken.length === 0,
        brokenRules: broken.map(({ rule, description }) => ({ rule: rules[rule], description })),
        strength: score,
      });
    },
    changePassword: async (call, request) => {
      const outcome = await identity.changePassword(call, parseChange(request));
      return create(ChangePasswordResponseSchema, {
        outcome:
          outcome.kind === 'changed' ? { case: 'change', value: { userId: outcome.userId } } : toLoginOutcome(outcome),
      });
    },
    requestPasswordReset: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const identifier = requiredText(request.identifier, 'identifier', limits.identifierChars, violations);
      const client = parseClient(request.client, violations);
      violations.throwIfAny();
      const { address, token, expiresAt } = await identity.requestPasswordReset(call, tenant, identifier, client);
      const expireTime = toTimestamp(expiresAt);
      return create(RequestPasswordResetResponseSchema, { emailAddress: address, resetToken: token, expireTime });
    },
    resetPassword: async (call, request) => {
      const violations = new Violations();
      const input = {
        tenant: parseTenantId(request.tenant, violations),
        token: opaqueText(request.resetToken, 'reset_token', violations),
        newPassword: passwordText(request.newPassword, 'new_password', violations),
        client: parseClient(request.client, violations),
      };
      violations.throwIfAny();
      const outcome = await identity.resetPassword(call, input);
      return create(ResetPasswordResponseSchema, {
        outcome:
          outcome.kind === 'reset'
            ? { case: 'userId', value: outcome.userId }
            : { case: 'rejection', value: toRejection(outcome) },
      });
    },
    requestVerification: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const userId = checkId(request.userId, 'user_id', violations);
      const given = requiredText(request.emailAddress, 'email_address', limits.identifierChars, violations);
      const client = parseClient(request.client, violations);
      violations.throwIfAny();
      const { address, token, expiresAt } = await identity.requestVerification(call, tenant, userId, given, client);
      const expireTime = toTimestamp(expiresAt);
      return create(RequestVerificationResponseSchema, { emailAddress: address, verificationToken: token, expireTime });
    },
    confirmVerification: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const token = opaqueText(request.verificationToken, 'verification_token', violations);
      const client = parseClient(request.client, violations);
      violations.throwIfAny();
      const outcome = await identity.confirmVerification(call, tenant, token, client);
      return create(ConfirmVerificationResponseSchema, {
        outcome:
          outcome.kind === 'verified'
            ? { case: 'user', value: toUser(outcome.user) }
            : { case: 'rejection', value: toRejection(outcome) },
      });
    },
  };
}

function parseCheck(request: CheckPasswordRequest): CheckPasswordInput {
  const violations = new Violations();
  const { userId, context } = request;
  if (context.length > MAX_CONTEXT) violations.add('context', `must be at most ${MAX_CONTEXT}, were ${context.length}`);
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    password: passwordText(request.password, 'password', violations),
    userId: userId === '' ? '' : checkId(userId, 'user_id', violations),
    context: context
      .slice(0, MAX_CONTEXT)
      .map((text, index) => optionalText(text, `context[${index}]`, limits.identifierChars, violations)),
  };
  violations.throwIfAny();
  return input;
}

function parseChange(request: ChangePasswordRequest): ChangePasswordInput {
  const violations = new Violations();
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    target: parseTarget(request, violations),
    newPassword: passwordText(request.newPassword, 'new_password', violations),
    client: parseClient(request.client, violations),
    issue: parseIssue(request.issue, violations),
  };
  if (request.issue !== undefined && input.target.kind === 'user') {
    violations.add('issue', 'is only taken with challenge_token');
  }
  violations.throwIfAny();
  return input;
}

function parseTarget(request: ChangePasswordRequest, violations: Violations): ChangePasswordInput['target'] {
  const { target, currentPassword, endOtherSessions, keepSessionId } = request;
  if (keepSessionId !== '' && !endOtherSessions) {
    violations.add('keep_session_id', 'is only taken with end_other_sessions');
  }
  switch (target.case) {
    case 'userId': {
      const but = keepSessionId === '' ? '' : checkId(keepSessionId, 'keep_session_id', violations);
      return {
        kind: 'user',
        userId: checkId(target.value, 'user_id', violations),
        currentPassword: passwordText(currentPassword, 'current_password', violations),
        endSessions: endOtherSessions ? { but } : undefined,
      };
    }
    case 'challengeToken':
      if (currentPassword !== '') violations.add('current_password', 'is only taken with user_id');
      if (endOtherSessions) violations.add('end_other_sessions', 'is only taken with user_id: all of them end');
      return { kind: 'challenge', challengeToken: opaqueText(target.value, 'challenge_token', violations) };
    case undefined:
      violations.add('target', 'is required: one of user_id, challenge_token');
      return { kind: 'challenge', challengeToken: '' };
  }
}
