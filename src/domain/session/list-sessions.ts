import type { Clock } from '../../platform/clock.ts';
import type { CallContext } from '../call.ts';
import type { UserDocument } from '../identity/use-cases.ts';
import { pageTokenOf, readPageToken } from '../page-token.ts';
import type { Store } from '../storage.ts';
import { formatSubject } from '../subject.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import type { UseMarks } from '../use-marks.ts';
import { isLiving } from './session.ts';
import { viewOf } from './session-view.ts';
import type { ListSessionsInput, SessionDocument, SessionsPage } from './use-cases.ts';

export interface ListSessionsPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly tenants: TenantDirectory;
  readonly marks: UseMarks;
}

/**
 * One page of living sessions, by id. A page looks at `page.size` documents and leaves out those that have ended, so its cost is bounded whatever
 * the user did before. Throws TENANT_NOT_FOUND and INVALID_ARGUMENT for a page token of another list.
 */
export async function listSessions(
  ports: ListSessionsPorts,
  call: CallContext,
  input: ListSessionsInput,
): Promise<SessionsPage> {
  const { tenant, subject } = input;
  const owner = formatSubject(subject);
  const after = readPageToken(input.page.token, ['sessions', tenant, owner]);
  await requireTenant(ports.tenants, tenant, call.signal);
  const limit = input.page.size;
  // An older epoch ended every session that carries it. A user that is gone has none.
  const user =
    subject.type === 'user'
      ? await ports.store.collection<UserDocument>('users').get(tenant, subject.id, call.signal)
      : undefined;
  const epoch = subject.type === 'user' ? user?.epoch : 0;
  const found = await ports.store
    .collection<SessionDocument>('sessions')
    .list(tenant, { owner, after, limit }, call.signal);
  const now = ports.clock.now();
  const sessions = found
    .map((session) => {
      const noted = ports.marks.lastNoted(tenant, session.id);
      return noted === undefined ? session : { ...session, touchedAt: Math.max(noted, session.touchedAt ?? 0) };
    })
    .filter((session) => session.epoch === epoch && isLiving(session, now))
    .map((session) => viewOf(session, ports.marks));
  const last = found.length < limit ? undefined : found.at(-1);
  return { sessions, nextPageToken: last === undefined ? '' : pageTokenOf(last.id, ['sessions', tenant, owner]) };
}
