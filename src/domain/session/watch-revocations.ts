import type { Clock } from '../../platform/clock.ts';
import { createWake } from '../../platform/wake.ts';
import type { CallContext } from '../call.ts';
import { EMPTY_HEAD, type LogHead } from '../change-log.ts';
import { DomainError } from '../errors.ts';
import type { ReplicaChanges, Replicas, Revocation, RevocationFeed } from '../replica.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';

// How other services follow what is revoked. The log is the buffer: a watcher that reads slowly is behind, and nothing is kept for it.

export type RevocationEvent =
  | {
      readonly kind: 'snapshot';
      readonly revocations: readonly Revocation[];
      readonly isFirst: boolean;
      readonly isLast: boolean;
      /** Empty before the last part. */
      readonly position: string;
    }
  | { readonly kind: 'changes'; readonly revocations: readonly Revocation[]; readonly position: string }
  /** Everything from before `asOf`, epoch ms, has been told. */
  | { readonly kind: 'heartbeat'; readonly asOf: number; readonly position: string };

export interface WatchRevocationsPorts {
  readonly replicas: Replicas & ReplicaChanges;
  readonly revocationFeed: RevocationFeed;
  readonly tenants: TenantDirectory;
  readonly clock: Clock;
}

/** Between two heartbeats of a quiet tenant, ms. */
export const HEARTBEAT_MS = 15_000;
const SNAPSHOT_ENTRIES = 1000;
const POSITION = /^(0|[1-9][0-9]{0,14})\.([A-Za-z0-9_-]{0,64})$/;

/**
 * What is revoked (unless `position` says that the watcher knows it), then what is being revoked, for ever. Throws INVALID_ARGUMENT for a
 * position that is none, TENANT_NOT_FOUND, and what the store throws: the watcher resumes.
 */
export async function* watchRevocations(
  ports: WatchRevocationsPorts,
  call: CallContext,
  tenant: string,
  position: string,
): AsyncGenerator<RevocationEvent, void, undefined> {
  let head = position === '' ? undefined : parsePosition(position);
  await requireTenant(ports.tenants, tenant, call.signal);
  const wake = createWake();
  const unsubscribe = ports.replicas.onChange((change) => {
    if (change.tenant === tenant && change.kind !== 'policy') wake.ring();
  });
  try {
    for (;;) {
      if (head === undefined) head = yield* snapshot(ports, tenant, call.signal);
      const asOf = ports.clock.now();
      const news = await ports.revocationFeed.after(tenant, head, call.signal);
      head = news?.head;
      if (news === undefined) continue;
      const at = formatPosition(news.head);
      if (news.revocations.length > 0) yield { kind: 'changes', revocations: news.revocations, position: at };
      else {
        yield { kind: 'heartbeat', asOf, position: at };
        await wake.wait(HEARTBEAT_MS, call.signal);
        // It may have been disabled meanwhile.
        await requireTenant(ports.tenants, tenant, call.signal);
        // Keeps the tenant in memory, where the log is followed; and a replica that knows nothing new ends the watch.
        await ports.replicas.load(tenant, call.signal);
      }
    }
  } finally {
    unsubscribe();
  }
}

async function* snapshot(
  ports: WatchRevocationsPorts,
  tenant: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<RevocationEvent, LogHead, undefined> {
  const { head, revoked } = await ports.revocationFeed.snapshot(tenant, signal);
  let revocations: Revocation[] = [];
  let isFirst = true;
  for (const revocation of revoked) {
    revocations.push(revocation);
    if (revocations.length < SNAPSHOT_ENTRIES) continue;
    yield { kind: 'snapshot', revocations, isFirst, isLast: false, position: '' };
    revocations = [];
    isFirst = false;
  }
  yield { kind: 'snapshot', revocations, isFirst, isLast: true, position: formatPosition(head) };
  return head;
}

function formatPosition({ revision, digest }: LogHead): string {
  return `${revision}.${digest}`;
}

function parsePosition(text: string): LogHead {
  const [, revision = '', digest = ''] = POSITION.exec(text) ?? [];
  if (revision !== '' && (revision === '0') === (digest === '')) {
    return revision === '0' ? EMPTY_HEAD : { revision: Number(revision), digest };
  }
  const description = 'is not a position that this method gave';
  throw new DomainError('INVALID_ARGUMENT', `position: ${description}`, {
    violations: [{ field: 'position', description }],
  });
}
