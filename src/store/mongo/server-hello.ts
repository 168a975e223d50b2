import { type Db, MongoServerError } from 'mongodb';
import type { Clock } from '../../platform/clock.ts';
import { Fault } from '../../platform/faults.ts';

/** What a server says of itself. */
export interface ServerHello {
  /** False for a standalone server, which has no majority to read from. */
  readonly replicated: boolean;
  /** Its clock minus ours in milliseconds, by the middle of the round trip. */
  readonly clockAheadMs: number;
}

/** Further apart than this, one replica of Sallyport would honour what another holds to be expired. */
const MAX_CLOCK_DIFFERENCE_MS = 5000;
const COMMAND_NOT_FOUND = 59;

/** Asks the server. Servers before `hello`, and some that only speak MongoDB's protocol, know it as `isMaster`. */
export async function greet(db: Db, clock: Clock, maxTimeMS: number): Promise<ServerHello> {
  const asked = clock.wall();
  const started = clock.monotonic();
  const reply = await db.command({ hello: 1, maxTimeMS }).catch((error: unknown) => {
    if (error instanceof MongoServerError && error.code === COMMAND_NOT_FOUND)
      return db.command({ isMaster: 1, maxTimeMS });
    throw error;
  });
  const ours = asked + (clock.monotonic() - started) / 2;
  const theirs: unknown = reply['localTime'];
  return {
    replicated: typeof reply['setName'] === 'string' || reply['msg'] === 'isdbgrid',
    clockAheadMs: theirs instanceof Date ? theirs.getTime() - ours : Number.NaN,
  };
}

/** Throws UNAVAILABLE when the clocks are too far apart, or the server does not tell its own. */
export function assertClocksAgree(hello: ServerHello): void {
  const seconds = Math.abs(hello.clockAheadMs) / 1000;
  if (Number.isNaN(seconds)) throw new Fault('UNAVAILABLE', 'the database does not tell its clock (localTime)');
  if (Math.abs(hello.clockAheadMs) <= MAX_CLOCK_DIFFERENCE_MS) return;
  const direction = hello.clockAheadMs > 0 ? 'ahead of' : 'behind';
  throw new Fault(
    'UNAVAILABLE',
    `the clock of the database is ${seconds.toFixed(1)} s ${direction} this machine's; at most 5 s are allowed`,
  );
}
