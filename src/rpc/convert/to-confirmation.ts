import { create } from '@bufbuild/protobuf';
import { type TotpConfirmation, TotpConfirmationSchema } from '../../../gen/sallyport/v1/authentication_pb.ts';
import type { ConfirmTotpOutcome } from '../../domain/identity/use-cases.ts';
import { toLoginOutcome } from './to-login-outcome.ts';

/** A confirmed factor; with a challenge also how that login goes on. */
export function toConfirmation(outcome: Extract<ConfirmTotpOutcome, { kind: 'confirmed' }>): TotpConfirmation {
  const message = create(TotpConfirmationSchema, {
    userId: outcome.userId,
    recoveryCodes: [...outcome.recoveryCodes],
  });
  if (outcome.login !== undefined) message.login = toLoginOutcome(outcome.login);
  return message;
}
