import { create } from '@bufbuild/protobuf';
import {
  type Revocation as RevocationMessage,
  RevocationSchema,
  type WatchRevocationsResponse,
  WatchRevocationsResponseSchema,
} from '../../../gen/sallyport/v1/token_pb.ts';
import type { Revocation } from '../../domain/replica.ts';
import type { RevocationEvent } from '../../domain/session/watch-revocations.ts';
import { toTimestamp } from './to-timestamp.ts';

export function toRevocationEvent(event: RevocationEvent): WatchRevocationsResponse {
  const { position } = event;
  switch (event.kind) {
    case 'snapshot': {
      const value = { revocations: revocationsOf(event.revocations), first: event.isFirst, last: event.isLast };
      return create(WatchRevocationsResponseSchema, { event: { case: 'snapshot', value }, position });
    }
    case 'changes': {
      const signingKeysChanged = event.revocations.some(({ kind }) => kind === 'key_set' || kind === 'signing_key');
      const changedApiKeyIds = event.revocations.filter(({ kind }) => kind === 'api_key_change').map(({ id }) => id);
      const value = { revocations: revocationsOf(event.revocations), signingKeysChanged, changedApiKeyIds };
      return create(WatchRevocationsResponseSchema, { event: { case: 'changes', value }, position });
    }
    case 'heartbeat': {
      const value = { asOfTime: toTimestamp(event.asOf) };
      return create(WatchRevocationsResponseSchema, { event: { case: 'heartbeat', value }, position });
    }
  }
}

function revocationsOf(revocations: readonly Revocation[]): RevocationMessage[] {
  return revocations.flatMap((revocation) => {
    const revoked = revokedOf(revocation);
    return revoked === undefined
      ? []
      : create(RevocationSchema, { revoked, expireTime: toTimestamp(revocation.until) });
  });
}

function revokedOf(revocation: Revocation) {
  const { id: value } = revocation;
  switch (revocation.kind) {
    case 'session':
      return { case: 'sessionId', value } as const;
    case 'api_key':
      return { case: 'apiKeyId', value } as const;
    case 'user':
      return { case: 'user', value: { userId: value, epoch: BigInt(revocation.epoch) } } as const;
    case 'signing_key':
      return { case: 'signingKeyId', value } as const;
    case 'api_key_change':
    case 'key_set':
    case 'tenant':
      return undefined;
  }
}
