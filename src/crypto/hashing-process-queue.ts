import type { Clock } from '../platform/clock.ts';
import { Fault } from '../platform/faults.ts';
import type { Logger } from '../platform/logger.ts';
import { type HashingChild, startHashingChild } from './hashing-process-child.ts';
import type { FromHashingProcess, HashAnswer, HashCost, HashJob } from './hashing-process-messages.ts';

// The bounded queue in front of the hashing process. The process gets as many jobs as it has threads, and one ahead, so that it has no pause
// between two. It starts them in the order in which they come: so the one ahead is known here, is taken back when its caller gives up, and goes to
// the successor of a process that dies.

export interface HashingQueue {
  /**
   * Takes a place for a job to come, before the work that leads to it: throws OVERLOADED at once when as many are taken as jobs can run and
   * wait. The function gives it back and may be called again.
   */
  reserve(): () => void;
  /** Throws a Fault: OVERLOADED at once when the queue is full, UNAVAILABLE when the process died, the signal's reason when it aborts. */
  run(job: HashJob, signal?: AbortSignal): Promise<HashAnswer>;
  /** Jobs not yet begun. */
  readonly waiting: number;
  /** Jobs begun and not yet answered. */
  readonly running: number;
  /** Of the living process, for tests. */
  readonly pid: number | undefined;
  /** Refuses what waits and what comes, and ends the process; what it still runs gets UNAVAILABLE. */
  close(): Promise<void>;
}

export interface HashingQueueOptions {
  readonly cost: HashCost;
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly peppers: readonly (readonly [string, Uint8Array])[];
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Waiter {
  readonly job: HashJob;
  resolve(answer: HashAnswer): void;
  reject(reason: unknown): void;
}

interface Sent {
  readonly waiter: Waiter;
  readonly sentAt: number;
  readonly timeout: NodeJS.Timeout;
}

/** A process that does not answer within this is killed. */
const HANG_MS = 30_000;
/** Jobs at the process beyond those that it runs. */
const AHEAD = 1;
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 5_000;
const CLOSE_MS = 2_000;
/** Before anything was measured. */
const GUESSED_HASH_MS = 100;

/** The queue's state; the functions below are its transitions. */
interface State {
  readonly options: HashingQueueOptions;
  readonly waiting: Waiter[];
  /** At the process, in the order sent: the first ones run, as many as it has threads. */
  readonly sent: Map<number, Sent>;
  child: HashingChild | undefined;
  /** Whether the living process has said that it can work. */
  ready: boolean;
  closed: (() => void) | undefined;
  restart: NodeJS.Timeout | undefined;
  /** Deaths since the last answer. */
  deaths: number;
  /** Places taken by `reserve`. */
  reserved: number;
  nextId: number;
  /** Moving average of how long a hash takes. */
  hashMs: number;
  /** Clock.monotonic() of the last answer. */
  answeredAt: number;
}

export function createHashingQueue(options: HashingQueueOptions): HashingQueue {
  const state: State = {
    options,
    waiting: [],
    sent: new Map(),
    child: undefined,
    ready: false,
    closed: undefined,
    restart: undefined,
    deaths: 0,
    reserved: 0,
    nextId: 0,
    hashMs: GUESSED_HASH_MS,
    answeredAt: 0,
  };
  start(state);
  return {
    get waiting() {
      return waitingIn(state);
    },
    get running() {
      return state.sent.size - aheadIn(state);
    },
    get pid() {
      return state.child?.pid;
    },
    reserve: () => {
      const isFull = waitingIn(state) >= options.maxWaiting;
      if (isFull || state.reserved >= options.maxWaiting + options.concurrency) throw overloaded(state);
      state.reserved += 1;
      let isTaken = true;
      return () => {
        if (isTaken) state.reserved -= 1;
        isTaken = false;
      };
    },
    run: (job, signal) => {
      if (signal?.aborted === true) return Promise.reject(signal.reason);
      if (state.closed !== undefined) return Promise.reject(new Fault('UNAVAILABLE', 'the service is stopping'));
      if (waitingIn(state) >= options.maxWaiting) return Promise.reject(overloaded(state));
      return enqueue(state, job, signal);
    },
    close: () => close(state),
  };
}

function aheadIn({ sent, options }: State): number {
  return Math.max(0, sent.size - options.concurrency);
}

function waitingIn(state: State): number {
  return state.waiting.length + aheadIn(state);
}

function overloaded(state: State): Fault {
  const retryAfterMs = Math.ceil((state.hashMs * (waitingIn(state) + 1)) / state.options.concurrency);
  return new Fault('OVERLOADED', 'too many passwords are being checked', { retryAfterMs });
}

function start(state: State): void {
  state.restart = undefined;
  state.ready = false;
  state.child = startHashingChild(state.options, {
    message: (message) => received(state, message),
    gone: (detail) => gone(state, detail),
  });
}

function pump(state: State): void {
  const { child, waiting, sent } = state;
  while (child !== undefined && state.ready && sent.size < state.options.concurrency + AHEAD) {
    const next = waiting.shift();
    if (next === undefined) break;
    const id = state.nextId;
    state.nextId += 1;
    const timeout = setTimeout(() => child.kill(), HANG_MS);
    timeout.unref();
    sent.set(id, { waiter: next, sentAt: state.options.clock.monotonic(), timeout });
    child.send({ ...next.job, id });
  }
  child?.hold(sent.size + waiting.length > 0);
}

function received(state: State, message: FromHashingProcess): void {
  if (message.kind === 'ready') {
    state.ready = true;
    pump(state);
    return;
  }
  const done = state.sent.get(message.id);
  if (done === undefined) return;
  state.sent.delete(message.id);
  clearTimeout(done.timeout);
  state.deaths = 0;
  const now = state.options.clock.monotonic();
  // One that was sent ahead began when the answer before came.
  state.hashMs += (now - Math.max(done.sentAt, state.answeredAt) - state.hashMs) / 8;
  state.answeredAt = now;
  pump(state);
  done.waiter.resolve(message.answer);
}

function gone(state: State, detail: { readonly code: number | null; readonly signal: string | null }): void {
  const sent = [...state.sent.values()];
  for (const { timeout } of sent) clearTimeout(timeout);
  state.sent.clear();
  const waiters = sent.map(({ waiter }) => waiter);
  const lost = waiters.slice(0, state.options.concurrency);
  state.waiting.unshift(...waiters.slice(state.options.concurrency));
  // Those in the queue wait for its successor, unless there is none, or it never came up: then the successor will hardly do better.
  if (!state.ready || state.closed !== undefined) lost.push(...state.waiting.splice(0));
  state.child = undefined;
  state.ready = false;
  for (const job of lost) job.reject(new Fault('UNAVAILABLE', 'the hashing process ended; try again'));
  if (state.closed !== undefined) {
    state.closed();
    return;
  }
  // The first death is answered at once; a process that dies again and again must not take a core for that.
  const restartInMs = state.deaths === 0 ? 0 : Math.min(FIRST_RESTART_MS * 2 ** state.deaths, LONGEST_RESTART_MS);
  state.deaths += 1;
  state.options.logger.error({ ...detail, restartInMs }, 'the hashing process ended');
  if (restartInMs === 0) {
    start(state);
    return;
  }
  state.restart = setTimeout(() => start(state), restartInMs);
  // Whoever waits in the queue is answered by it; without them it need not keep the service alive.
  if (state.waiting.length === 0) state.restart.unref();
}

async function close(state: State): Promise<void> {
  clearTimeout(state.restart);
  for (const job of state.waiting.splice(0)) job.reject(new Fault('UNAVAILABLE', 'the service is stopping'));
  const { child } = state;
  const ended = new Promise<void>((resolve) => {
    state.closed = resolve;
  });
  if (child === undefined) return;
  const stuck = setTimeout(() => child.kill(), CLOSE_MS);
  child.hold(true);
  child.release();
  await ended;
  clearTimeout(stuck);
}

/** A job that was sent ahead is not run. Should it have begun meanwhile, its answer finds nobody. */
function takeBack(state: State, waiter: Waiter): void {
  const place = [...state.sent].findIndex(([, sent]) => sent.waiter === waiter);
  if (place < state.options.concurrency) return;
  const [id, sent] = [...state.sent][place] ?? [];
  if (id === undefined) return;
  clearTimeout(sent?.timeout);
  state.sent.delete(id);
  state.child?.send({ kind: 'drop', id });
}

/** A caller that gives up is answered at once: its job leaves the queue, or its answer is dropped when the job already runs. */
function enqueue(state: State, job: HashJob, signal: AbortSignal | undefined): Promise<HashAnswer> {
  return new Promise((resolve, reject) => {
    const settle = (): void => signal?.removeEventListener('abort', abort);
    const waiter: Waiter = {
      job,
      resolve: (answer) => {
        settle();
        resolve(answer);
      },
      reject: (reason) => {
        settle();
        reject(reason);
      },
    };
    const abort = (): void => {
      const place = state.waiting.indexOf(waiter);
      if (place >= 0) state.waiting.splice(place, 1);
      else takeBack(state, waiter);
      waiter.reject(signal?.reason);
      pump(state);
    };
    signal?.addEventListener('abort', abort, { once: true });
    state.waiting.push(waiter);
    pump(state);
  });
}
