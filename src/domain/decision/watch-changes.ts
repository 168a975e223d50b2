import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { reachReplica } from './current-replica.ts';
import type { WatchPorts } from './decision-ports.ts';
import { decodePolicyEntry } from './policy-log.ts';
import { formatRevision, parseRevision, revisionsBehind } from './revision-token.ts';
import type { ChangeNotice } from './use-cases.ts';

/** Entries read at once; one entry has at most 1,000 changes. */
const READ_ENTRIES = 20;
/** A quiet tenant is looked after this often, so that it is not dropped from memory, and a stale one is noticed; ms. */
const LOOK_EVERY_MS = 5000;
const FIELD = 'after_revision';

/**
 * Follows the log from any revision that is kept. What the index applied is only the signal to read on: the entries come from the log
 * by their dense revisions, so each comes exactly once and in order, however far behind the reader is, and a gap (a compaction
 * overtook a slow reader) is an error rather than a skip. Ends with INDEX_STALE when the log cannot be followed any more, and with
 * REVISION_UNKNOWN when the store was replaced by another.
 */
export async function* watchChanges(
  ports: WatchPorts,
  call: CallContext,
  input: { readonly tenant: string; readonly afterRevision: string },
): AsyncGenerator<ChangeNotice, void, undefined> {
  const { tenant, afterRevision } = input;
  const { signal } = call;
  await requireTenant(ports.tenants, tenant, signal);
  if (afterRevision !== '') parseRevision(afterRevision, FIELD);
  const replica = await reachReplica(ports.replicas, tenant, afterRevision, signal);
  const begin = parseRevision(afterRevision === '' ? replica.revisionToken() : afterRevision, FIELD);
  let { incarnation } = parseRevision(replica.revisionToken(), FIELD);
  let position = begin.revision;
  /** Of the entry at `position`, once one was read. */
  let digest: string | undefined;
  yield { revision: formatRevision({ tenant, incarnation, revision: position }) };
  const news = createNews(ports, tenant);
  try {
    for (;;) {
      const current = parseRevision((await ports.replicas.load(tenant, signal)).revisionToken(), FIELD);
      if (position > 0) revisionsBehind(current, { tenant, incarnation, revision: position });
      incarnation = current.incarnation;
      if (current.revision <= position) {
        await news.wait(signal);
        continue;
      }
      for (const entry of await ports.history.read(tenant, position, READ_ENTRIES, signal)) {
        const { revision, at, body } = entry;
        if (revision !== position + 1) throw compacted(formatRevision({ tenant, incarnation, revision: revision - 1 }));
        // A store that was set back to a backup goes on under the same numbers.
        if (digest !== undefined && entry.previous !== digest) throw otherHistory();
        position = revision;
        digest = entry.digest;
        const change = { entry: decodePolicyEntry(body), at };
        yield { revision: formatRevision({ tenant, incarnation, revision }), change };
      }
    }
  } finally {
    news.stop();
  }
}

/** Remembers what happened between two waits, so that nothing is slept through. */
function createNews(ports: WatchPorts, tenant: string) {
  let due = true;
  let wake = (): void => {};
  const stop = ports.replicas.onChange((change) => {
    if (change.tenant !== tenant || change.kind === 'revoked') return;
    due = true;
    wake();
  });
  return {
    stop,
    wait: async (signal: AbortSignal | undefined): Promise<void> => {
      signal?.throwIfAborted();
      if (!due) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LOOK_EVERY_MS);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
          signal?.addEventListener('abort', wake, { once: true });
        });
        signal?.removeEventListener('abort', wake);
      }
      due = false;
      signal?.throwIfAborted();
    },
  };
}

function compacted(oldest: string): DomainError {
  return new DomainError('REVISION_COMPACTED', 'the changes after this revision are not kept any more', {
    metadata: { oldest_revision: oldest },
  });
}

function otherHistory(): DomainError {
  return new DomainError('REVISION_UNKNOWN', 'the store was set back: read the whole state and follow from there');
}
