import type { UseMarks } from '../use-marks.ts';
import { idleEndOf } from './session.ts';
import type { SessionDocument, SessionView } from './use-cases.ts';

/** A session as people see it: when it was last seen, of what this process and the store know. */
export function viewOf(session: SessionDocument, marks: UseMarks): SessionView {
  const { tenant, id, createdAt, lastRotation, touchedAt } = session;
  const lastUsedAt = Math.max(touchedAt ?? 0, marks.lastNoted(tenant, id) ?? 0);
  const used = lastUsedAt === 0 ? session : { ...session, touchedAt: lastUsedAt };
  return {
    session,
    lastSeenAt: Math.max(createdAt, lastRotation?.at ?? 0, lastUsedAt),
    idleEndsAt: idleEndOf(used),
  };
}
