import { create } from '@bufbuild/protobuf';
import { type FederatedLogin, FederatedLoginSchema } from '../../../gen/sallyport/v1/authentication_pb.ts';
import type { Rejection as RejectionMessage } from '../../../gen/sallyport/v1/session_pb.ts';
import type { BegunLogin } from '../../domain/federation/use-cases.ts';
import type { Rejection } from '../../domain/identity/use-cases.ts';
import { toRejection } from './to-issued.ts';
import { toTimestamp } from './to-timestamp.ts';

/** The `outcome` of BeginFederatedLogin. */
export function toBegun(
  outcome: BegunLogin | Rejection,
): { case: 'login'; value: FederatedLogin } | { case: 'rejection'; value: RejectionMessage } {
  if (outcome.kind === 'rejection') return { case: 'rejection', value: toRejection(outcome) };
  const { authorizationUrl, browserBinding, expiresAt } = outcome;
  const value = create(FederatedLoginSchema, { authorizationUrl, browserBinding, expireTime: toTimestamp(expiresAt) });
  return { case: 'login', value };
}
