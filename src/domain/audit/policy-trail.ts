import type { Logger } from '../../platform/logger.ts';
import type { CallContext } from '../call.ts';
import { decodePolicyEntry, type PolicyEntry } from '../decision/policy-log.ts';
import type { OnReplicaChange } from '../replica.ts';
import type { AuditEvent, LogEntry, Store } from '../storage.ts';
import { TailPage } from '../tail-page.ts';
import { type AuditFacts, auditEvent, writtenEventId } from './audit-event.ts';
import { pause } from './pause.ts';

// Policies and grants are written to their tenant's log, which is its own record: chained, with author and time. But entries are compacted
// away after a checkpoint, so each becomes an event of the trail too. Its writer makes it before it answers; every replica makes it again
// a little later from the log (the id is the entry's, so there is one), so that a kill in between loses nothing.

/** So that the writer's own event, which knows the request, comes first. */
const DELAY_MS = 2_000;
/** Entries before the newest that are looked at when a tenant is loaded: what a killed writer can have left out is among the last few. */
const LOOK_BACK = 200;

export interface PolicyTrail {
  /** Makes the event of the entry at `revision`. A failure is logged and left to the replicas: the write itself has happened. */
  record(call: CallContext, tenant: string, revision: number): Promise<void>;
  /** Makes what is missing of the newest entries' events. Throws what the store throws. */
  complete(tenant: string, signal: AbortSignal): Promise<void>;
  /** For ReplicaChanges.onChange. */
  readonly onChange: OnReplicaChange;
  stop(): Promise<void>;
}

export function createPolicyTrail(ports: { readonly store: Store; readonly logger: Logger }): PolicyTrail {
  const { store, logger } = ports;
  /** Highest revision whose event is known to be there, by tenant. */
  const recorded = new Map<string, number>();
  const underWay = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  const complete = async (tenant: string, signal: AbortSignal): Promise<void> => {
    const stream = streamOf(tenant);
    let after = recorded.get(tenant) ?? (await firstToLookAt(store, stream, signal));
    // What comes after a page that was not full is told by onChange and gets a run of its own. A run that read on for as long as somebody
    // writes would have company every two seconds.
    const page = new TailPage();
    for (let isMore = true; isMore; ) {
      const entries = await store.changeLog.read(stream, after, page.limit, signal);
      isMore = page.note(entries);
      const last = entries.at(-1);
      if (last === undefined) return;
      await store.auditTrail.append(
        entries.map((entry) => eventOf(tenant, entry, undefined)),
        signal,
      );
      after = last.revision;
      recorded.set(tenant, Math.max(after, recorded.get(tenant) ?? 0));
    }
  };
  const catchUp = async (tenant: string): Promise<void> => {
    await pause(DELAY_MS, stopping.signal);
    underWay.delete(tenant);
    stopping.signal.throwIfAborted();
    await complete(tenant, stopping.signal);
  };
  return {
    complete,
    record: async (call, tenant, revision) => {
      if (revision < 1) return;
      try {
        const [entry] = await store.changeLog.read(streamOf(tenant), revision - 1, 1, call.signal);
        if (entry?.revision === revision) await store.auditTrail.append([eventOf(tenant, entry, call)], call.signal);
      } catch (error) {
        logger.warn({ err: error, tenant }, 'the event of a policy write is recorded later');
      }
    },
    onChange: (change) => {
      if (change.kind === 'revoked' || underWay.has(change.tenant) || stopping.signal.aborted) return;
      const run = catchUp(change.tenant).catch((error: unknown) => {
        underWay.delete(change.tenant);
        if (!stopping.signal.aborted)
          logger.warn({ err: error }, 'policy events could not be recorded; tried again later');
      });
      underWay.set(change.tenant, run);
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(underWay.values());
    },
  };
}

async function firstToLookAt(store: Store, stream: string, signal: AbortSignal): Promise<number> {
  const { oldest, newest } = await store.changeLog.bounds(stream, signal);
  return Math.max(0, oldest - 1, newest - LOOK_BACK);
}

function streamOf(tenant: string): string {
  return `policy/${tenant}`;
}

function eventOf(tenant: string, entry: LogEntry, call: CallContext | undefined): AuditEvent {
  const facts = factsOf(decodePolicyEntry(entry.body));
  const { author } = facts;
  const by = call?.caller.name === author ? call : { caller: { ...NOBODY, name: author }, requestId: '' };
  const details = { ...facts.details, revision: String(entry.revision) };
  const { type, reason } = facts;
  const all: AuditFacts = { tenant, type, outcome: 'success', reason, call: by, details, at: entry.at };
  return auditEvent(all, writtenEventId(type, tenant, [entry.digest]));
}

const NOBODY = { subject: { type: 'service', id: 'unknown' }, name: '', credentialId: '' } as const;

function factsOf(entry: PolicyEntry): Pick<AuditFacts, 'type' | 'reason'> & {
  readonly author: string;
  readonly details: Readonly<Record<string, string>>;
} {
  switch (entry.kind) {
    case 'policy':
      return { type: 'policy.applied', author: entry.author, details: { version: String(entry.version) } };
    case 'grants': {
      const put = entry.changes.filter(({ kind }) => kind === 'put').length;
      const removed = entry.changes.length - put;
      return { type: 'grants.written', author: entry.author, details: { put: String(put), removed: String(removed) } };
    }
    // Of whom `user.disabled` and its like say, which are pseudonymized when the user is deleted; these come late, after that.
    case 'subject': {
      const reason = entry.disabled ? 'SUBJECT_DISABLED' : undefined;
      return { type: 'subject.marked', author: 'service:sallyport', reason, details: {} };
    }
    case 'restored':
      return {
        type: 'store.restored',
        author: 'service:sallyport',
        reason: undefined,
        details: {},
      };
    case 'ended':
      return { type: 'tenant.deleted', author: 'service:sallyport', reason: undefined, details: {} };
    case 'gone':
      return { type: 'subject.marked', author: 'service:sallyport', reason: 'SUBJECT_DISABLED', details: {} };
  }
}
