import { create } from '@bufbuild/protobuf';
import { type Session, SessionKind, SessionSchema } from '../../../gen/sallyport/v1/session_pb.ts';
import { amrOf } from '../../domain/session/token-pair.ts';
import type { SessionView } from '../../domain/session/use-cases.ts';
import { toSubject } from './to-decision.ts';
import { toTimestamp } from './to-timestamp.ts';

/** A session without its secrets. */
export function toSession({ session, lastSeenAt, idleEndsAt }: SessionView): Session {
  const { id, kind, subject, client, callerName, methods, createdAt, absoluteEndsAt } = session;
  return create(SessionSchema, {
    id,
    kind: kind === 'cookie' ? SessionKind.COOKIE : SessionKind.TOKENS,
    subject: toSubject(subject),
    client: { ip: client.ip ?? '', userAgent: client.userAgent ?? '', deviceId: client.deviceId ?? '' },
    clientId: callerName,
    amr: [...amrOf(methods)],
    authenticationTime: methods.length === 0 ? undefined : toTimestamp(Math.max(...methods.map(({ at }) => at))),
    createTime: toTimestamp(createdAt),
    lastSeenTime: toTimestamp(lastSeenAt),
    idleExpireTime: toTimestamp(idleEndsAt),
    expireTime: toTimestamp(absoluteEndsAt),
  });
}
