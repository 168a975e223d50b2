import { create } from '@bufbuild/protobuf';
import {
  type AuthenticationService,
  type RegenerateRecoveryCodesRequest,
  RegenerateRecoveryCodesResponseSchema,
  type RemoveTotpRequest,
  RemoveTotpResponseSchema,
} from '../../../gen/sallyport/v1/authentication_pb.ts';
import type { ChangeFactorInput, IdentityUseCases, TotpEnrollment } from '../../domain/identity/use-cases.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { toRejection } from '../convert/to-issued.ts';
import type { Handlers } from '../method.ts';
import { parseClient } from '../parse/parse-client.ts';
import { opaqueText } from '../parse/parse-text.ts';

/** Changes of a second factor in force. */
export function factorHandlers(
  identity: Pick<IdentityUseCases, 'removeTotp' | 'regenerateRecoveryCodes'>,
): Pick<Handlers<typeof AuthenticationService>, 'removeTotp' | 'regenerateRecoveryCodes'> {
  return {
    removeTotp: async (call, request) => {
      const outcome = await identity.removeTotp(call, parseChange(request));
      return create(RemoveTotpResponseSchema, {
        outcome:
          outcome.kind === 'removed'
            ? { case: 'removal', value: { userId: outcome.userId } }
            : { case: 'rejection', value: toRejection(outcome) },
      });
    },
    regenerateRecoveryCodes: async (call, request) => {
      const outcome = await identity.regenerateRecoveryCodes(call, parseChange(request));
      return create(RegenerateRecoveryCodesResponseSchema, {
        outcome:
          outcome.kind === 'regenerated'
            ? { case: 'codes', value: { recoveryCodes: [...outcome.recoveryCodes] } }
            : { case: 'rejection', value: toRejection(outcome) },
      });
    },
  };
}

/** What the user is shown of a new secret. */
export function toEnrollment({ secret, uri, qrSvg, qrText, challengeToken = '' }: TotpEnrollment) {
  return { secret, otpauthUri: uri, qrSvg, qrText, challengeToken };
}

export function parseProofTarget(value: string, violations: Violations): ChangeFactorInput['target'] {
  return { kind: 'proof', token: opaqueText(value, 'authentication_token', violations) };
}

function parseChange(request: RemoveTotpRequest | RegenerateRecoveryCodesRequest): ChangeFactorInput {
  const violations = new Violations();
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    target: parseTarget(request.target, violations),
    client: parseClient(request.client, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseTarget(target: RemoveTotpRequest['target'], violations: Violations): ChangeFactorInput['target'] {
  switch (target.case) {
    case 'userId':
      return { kind: 'user', userId: checkId(target.value, 'user_id', violations) };
    case 'authenticationToken':
      return parseProofTarget(target.value, violations);
    case undefined:
      violations.add('target', 'is required: one of user_id, authentication_token');
      return { kind: 'user', userId: '' };
  }
}
