import type { ServiceContext } from '../cli/run-service.ts';
import type { AuditBuffer } from '../domain/audit/audit-buffer.ts';
import type { Store } from '../domain/storage.ts';

// The timers of the audit trail: what waits in the buffer is written twice a second, what is too old is removed once an hour.

const FLUSH_EVERY_MS = 500;
const PRUNE_EVERY_MS = 3_600_000;
const DAY_MS = 24 * 3_600_000;

/** Starts them. Stopping writes what still waits, after everything that could add to it has stopped. */
export function keepTrail(context: ServiceContext, store: Store, audit: AuditBuffer): void {
  const { lifecycle, logger, clock, metrics, settings } = context;
  metrics.gauge(
    { name: 'audit_events_dropped', help: 'Audit events that had no room, since the start.' },
    () => audit.dropped,
  );
  metrics.gauge({ name: 'audit_events_waiting', help: 'Audit events that wait for the store.' }, () => audit.waiting);
  let isFlushing = false;
  const flush = (): void => {
    if (isFlushing || audit.waiting === 0) return;
    isFlushing = true;
    audit
      .flush()
      .catch((error: unknown) => logger.warn({ err: error }, 'audit events could not be written; they wait'))
      .finally(() => {
        isFlushing = false;
      });
  };
  const prune = (): void => {
    store.auditTrail
      .prune(clock.now() - settings.auditRetentionDays * DAY_MS, lifecycle.stopping)
      .catch((error: unknown) => {
        if (!lifecycle.stopping.aborted) logger.warn({ err: error }, 'old audit events could not be removed');
      });
  };
  const timers = [setInterval(flush, FLUSH_EVERY_MS), setInterval(prune, PRUNE_EVERY_MS)];
  for (const timer of timers) timer.unref();
  lifecycle.onStop('audit trail', async (signal) => {
    for (const timer of timers) clearInterval(timer);
    await audit.flush(signal);
  });
}
