import type { ServiceContext } from '../cli/run-service.ts';
import type { Store } from '../domain/storage.ts';
import type { Readiness } from '../http/ops-port.ts';
import type { Follower } from '../replication/follower.ts';
import type { Health } from '../rpc/health.ts';

// Whether calls can be answered now, from memory: the change log is fresh, the store answered the last ping, nothing drains. `/readyz` reads
// it; gRPC health follows it.

const CHECK_EVERY_MS = 1000;
const PING_TIMEOUT_MS = 2000;

export interface ReadinessWatch {
  readonly current: () => Readiness;
  /** Health follows from now on. */
  drive(health: Health): void;
}

export function watchReadiness(context: ServiceContext, store: Store, follower: Follower): ReadinessWatch {
  const { lifecycle, logger } = context;
  let storeReason = '';
  let started = false;
  const current = (): Readiness => {
    const freshness = follower.freshness();
    const reasons = [
      ...(started ? [] : ['starting']),
      ...(lifecycle.stopping.aborted ? ['draining'] : []),
      ...(freshness.stale ? ['no word from the change log for longer than SALLYPORT_MAX_STALENESS_MS'] : []),
      ...(storeReason === '' ? [] : [storeReason]),
    ];
    return { ready: reasons.length === 0, reasons };
  };
  const ping = async (): Promise<void> => {
    const before = storeReason;
    try {
      await store.ping(AbortSignal.timeout(PING_TIMEOUT_MS));
      storeReason = '';
    } catch (error) {
      storeReason = `the store does not answer: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (before !== storeReason) logger[storeReason === '' ? 'info' : 'error']({ reason: storeReason }, 'store changed');
  };
  return {
    current,
    drive: (health) => {
      started = true;
      // Decisions go on from memory while the store is away: they stop being served when they would be stale, not before.
      const follow = (): void => health.setAll(!lifecycle.stopping.aborted && !follower.freshness().stale);
      let pinging = false;
      const timer = setInterval(() => {
        follow();
        if (pinging) return;
        pinging = true;
        ping().finally(() => {
          pinging = false;
        });
      }, CHECK_EVERY_MS);
      timer.unref();
      lifecycle.stopping.addEventListener('abort', follow, { once: true });
      lifecycle.onStop('readiness', () => clearInterval(timer));
      follow();
    },
  };
}
