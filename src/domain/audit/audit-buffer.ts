import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { type RandomSource, randomId } from '../../platform/random.ts';
import type { EffectHandler } from '../outbox.ts';
import type { AuditEvent, Store } from '../storage.ts';
import { type AuditFacts, auditEvent, eventOfEffect, ownCall } from './audit-event.ts';
import { eventsDropped } from './audit-events.ts';
import type { GoneName } from './gone-name.ts';

// The two ways into the audit trail. What follows a write comes by the outbox and is never lost. What follows none (failures, refusals, denied
// decisions) goes through a bounded buffer: an attacker who causes thousands a second must neither fill the memory nor make the
// service wait for its store. What the buffer had no room for is counted, and the count is an event of its own.

/** Events that wait for the store. */
const MAX_WAITING = 10_000;
const MAX_BATCH = 500;

/** Where events go that follow no write. */
export interface AuditNotes {
  /** Never throws, never waits. A kill before the next flush, at most half a second later, loses it. */
  note(facts: AuditFacts): void;
  /** Counts an event that its maker has no room for. */
  drop(): void;
}

export interface AuditBuffer extends AuditNotes {
  /** Writes what waits. Throws when the store does not take it; it then waits on. */
  flush(signal?: AbortSignal): Promise<void>;
  /** Performs effects of kind `audit`; for the handlers of createOutbox. */
  readonly handler: EffectHandler;
  /** Events that had no room since the start. */
  readonly dropped: number;
  readonly waiting: number;
}

export interface AuditBufferPorts {
  readonly store: Pick<Store, 'auditTrail'>;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  /** Absent: nobody is ever deleted. */
  readonly goneName?: GoneName;
}

/** `maxWaiting` is for tests. */
export function createAuditBuffer(ports: AuditBufferPorts, maxWaiting: number = MAX_WAITING): AuditBuffer {
  const { store, clock, random, logger, goneName = () => undefined } = ports;
  const waiting: AuditEvent[] = [];
  let dropped = 0;
  let untold = 0;
  let flushing: Promise<void> = Promise.resolve();
  const keep = (facts: AuditFacts): void => {
    // What is known now is not known later when the store does not answer for long: an index that is stale tells nothing.
    const event = withoutGone(auditEvent(facts, randomId(random)), goneName);
    waiting.push(event);
    logEvent(logger, event);
  };
  const drop = (): void => {
    dropped += 1;
    untold += 1;
  };
  const flush = async (signal: AbortSignal | undefined): Promise<void> => {
    if (untold > 0 && waiting.length < maxWaiting) {
      keep(eventsDropped(ownCall, untold, clock.now()));
      untold = 0;
    }
    while (waiting.length > 0) {
      // Idempotent by id: a batch whose answer was lost is written again as the same events.
      const batch = waiting.slice(0, MAX_BATCH);
      // Who was deleted while an event of theirs waited must not come back with it.
      await store.auditTrail.append(
        batch.map((event) => withoutGone(event, goneName)),
        signal,
      );
      waiting.splice(0, batch.length);
    }
  };
  return {
    note: (facts) => (waiting.length < maxWaiting ? keep(facts) : drop()),
    drop,
    flush: (signal) => {
      flushing = flushing.then(
        () => flush(signal),
        () => flush(signal),
      );
      return flushing;
    },
    handler: async (_document, effect, signal) => {
      const event = eventOfEffect(effect);
      if (event === undefined) throw new TypeError(`effect ${effect.id} holds no event that this release knows`);
      await store.auditTrail.append([withoutGone(event, goneName)], signal);
      logEvent(logger, event);
    },
    get dropped() {
      return dropped;
    },
    get waiting() {
      return waiting.length;
    },
  };
}

function withoutGone(event: AuditEvent, goneName: GoneName): AuditEvent {
  const { tenant, subject, details } = event;
  const named = subject === undefined ? undefined : goneName(tenant, subject);
  const about = typeof details['about'] === 'string' ? goneName(tenant, details['about']) : undefined;
  if (named === undefined && about === undefined) return event;
  return {
    ...event,
    ...(named === undefined ? {} : { subject: named }),
    details: {
      ...details,
      ...(named === undefined ? {} : { identifying: undefined }),
      ...(about === undefined ? {} : { about }),
    },
  };
}

function logEvent(logger: Logger, { tenant, id, type, subject, outcome, details }: AuditEvent): void {
  if (!logger.enabled('info')) return;
  const { caller, requestId, reason, about, more, identifying } = details;
  logger.info(
    { audit: type, outcome, tenant, subject, caller, requestId, reason, about, more, client: identifying, id },
    'audit',
  );
}
