import type { CallContext } from '../call.ts';
import type { AuditEvent, AuditFilter } from '../storage.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { AuditPorts } from './create-audit-use-cases.ts';
import { pause } from './pause.ts';
import type { WatchEventsInput } from './use-cases.ts';
import { walkEvents } from './walk-events.ts';

// Events reach the trail a little later than they happen: buffers are flushed twice a second, replicas' clocks differ by up to 5 s, and what a
// killed process left is finished by another after 30 s. So a watch reads a window again, and remembers what it told.

const POLL_MS = 500;
/** How far back each poll looks, and how far back every tenth one does. */
const NEAR_MS = 10_000;
const FAR_MS = 120_000;
const FAR_EVERY = 10;
const PAGE = 1_000;
const HEARTBEAT_MS = 15_000;

/** What was told already, so that reading the window again tells nothing twice. */
interface Told {
  readonly ids: Map<string, number>;
  /** Epoch ms of the newest. */
  newest: number;
}

export async function* watchEvents(
  ports: AuditPorts,
  call: CallContext,
  { filter }: WatchEventsInput,
): AsyncGenerator<AuditEvent | undefined, void, undefined> {
  await requireTenant(ports.tenants, filter.tenant, call.signal);
  const start = filter.from ?? ports.clock.now();
  const told: Told = { ids: new Map(), newest: start };
  let quietSince = ports.clock.monotonic();
  // At once, so that the watcher knows that the watch stands.
  yield undefined;
  for (let poll = 0; call.signal?.aborted !== true; poll += 1) {
    const back = poll % FAR_EVERY === 0 ? FAR_MS : NEAR_MS;
    for await (const event of freshEvents(
      ports,
      call,
      { ...filter, from: Math.max(start, told.newest - back) },
      told,
    )) {
      yield event;
      quietSince = ports.clock.monotonic();
    }
    forget(told, told.newest - 2 * FAR_MS);
    if (ports.clock.monotonic() - quietSince >= HEARTBEAT_MS) {
      yield undefined;
      quietSince = ports.clock.monotonic();
    }
    await pause(POLL_MS, call.signal);
  }
}

/** Page by page, each asked for when the one before was taken: a slow reader holds one page. */
async function* freshEvents(
  { store }: AuditPorts,
  call: CallContext,
  filter: AuditFilter,
  told: Told,
): AsyncGenerator<AuditEvent, void, undefined> {
  let after: string | undefined;
  for (;;) {
    const page = await walkEvents(store, { ...filter, to: undefined }, after, PAGE, call.signal);
    for (const event of page.events) {
      if (told.ids.has(event.id)) continue;
      told.ids.set(event.id, event.at);
      told.newest = Math.max(told.newest, event.at);
      yield event;
    }
    if (page.after === undefined) return;
    after = page.after;
    // A window is bounded in time, not in number; what is behind it is not remembered.
    forget(told, told.newest - 2 * FAR_MS);
  }
}

function forget(told: Told, before: number): void {
  for (const [id, at] of told.ids) if (at < before) told.ids.delete(id);
}
