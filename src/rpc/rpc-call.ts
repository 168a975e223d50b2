import type { Message } from '@bufbuild/protobuf';
import type { CallContext, Caller } from '../domain/call.ts';
import type { Clock } from '../platform/clock.ts';
import { Fault } from '../platform/faults.ts';
import { type RandomSource, randomId } from '../platform/random.ts';
import type { RpcStatus } from './error-table.ts';
import type { RpcMethod } from './method.ts';

// One call on its way through the pipeline. What costs something (request id, abort signal, deadline timer) is made when first read.

/** What a transport knows of a call. */
export interface Incoming {
  /** First value of a header; undefined: not sent. `name` is lower-case. */
  header(name: string): string | undefined;
  /** Address of the peer, without port. */
  peer(): string;
  /** Names of the client certificate that the peer proved to hold, `DNS:...` and `URI:...`; empty: none. */
  certificateNames(): readonly string[];
  /** Milliseconds that the caller gave the call, from now; Infinity: no deadline. */
  deadlineMs(): number;
  /** The decoded request. Throws whatever the decoder throws when it is malformed. */
  message(): Message;
  /** Takes the response in the form the transport sends. Inside the pipeline, so that a response that cannot be encoded is INTERNAL. */
  prepare(response: Message): void;
  /** Breaks the connection of a stream whose peer does not take what it is sent. Undefined: the transport sees `call.signal` by itself. */
  cut?(): void;
  /** Called at most once, when the caller goes away or the transport's own deadline timer ends the call. */
  onCancelled(listener: () => void): void;
}

/** Deadline of a call that brought none. */
export const DEFAULT_DEADLINE_MS = 10_000;
/** No call runs longer, whatever its caller allows: no work here takes that long. */
export const MAX_DEADLINE_MS = 60_000;

const NOBODY: Caller = { subject: { type: 'service', id: 'anonymous' }, name: 'anonymous', credentialId: '' };
const REQUEST_ID = /^[A-Za-z0-9._:-]{8,128}$/;
/** W3C Trace Context section 3.2.2, version 00. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export class RpcCall implements CallContext {
  readonly method: RpcMethod;
  readonly incoming: Incoming;
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Until authentication, and in public methods, nobody. */
  caller: Caller = NOBODY;
  /** Milliseconds from `startedAt`; Infinity: a stream without one. */
  deadlineMs: number = DEFAULT_DEADLINE_MS;
  /** It has passed the steps before its request is decoded. */
  admitted = false;
  request: Message | undefined;
  response: Message | undefined;
  status: RpcStatus | undefined;
  readonly #clock: Clock;
  readonly #random: RandomSource;
  #requestId: string | undefined;
  #abort: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(method: RpcMethod, incoming: Incoming, clock: Clock, random: RandomSource) {
    this.method = method;
    this.incoming = incoming;
    this.#clock = clock;
    this.#random = random;
    this.startedAt = clock.monotonic();
  }

  /** The caller's `x-request-id` if it is well-formed, else a fresh one. */
  get requestId(): string {
    if (this.#requestId === undefined) {
      const given = this.incoming.header('x-request-id');
      this.#requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomId(this.#random);
    }
    return this.#requestId;
  }

  /** For logs; undefined when absent or malformed. */
  get traceparent(): string | undefined {
    const given = this.incoming.header('traceparent');
    return given !== undefined && TRACEPARENT.test(given) ? given : undefined;
  }

  get signal(): AbortSignal {
    this.#abort ??= this.#arm();
    return this.#abort.signal;
  }

  /** Throws only when a step reads the request before it was decoded: a mistake in the order of the pipeline. */
  decoded(): Message {
    if (this.request === undefined) throw new Error('the request was read before it was decoded');
    return this.request;
  }

  /** Milliseconds until the deadline; 0 or less: it has passed. */
  leftMs(): number {
    return this.deadlineMs - this.elapsedMs();
  }

  elapsedMs(): number {
    return this.#clock.monotonic() - this.startedAt;
  }

  /** Ends the call with `reason`, which decides its status: what it waits for is given up. */
  stop(reason: Error): void {
    this.#abort ??= this.#arm();
    this.#abort.abort(reason);
  }

  /** The call is over: lets go of the deadline timer, and of a transport that tells of the end as of a cancellation. */
  end(): void {
    this.#ended = true;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  #arm(): AbortController {
    const abort = new AbortController();
    // A transport with a deadline timer of its own cancels at the deadline: the reason is then the deadline, not the caller.
    this.incoming.onCancelled(() => {
      if (this.#ended) return;
      abort.abort(
        this.leftMs() <= TIMER_SLACK_MS ? deadlineExceeded() : new Fault('CANCELLED', 'the caller cancelled'),
      );
    });
    const leftMs = this.leftMs();
    if (leftMs === Number.POSITIVE_INFINITY) return abort;
    this.#timer = setTimeout(() => abort.abort(deadlineExceeded()), Math.min(Math.max(0, leftMs), MAX_TIMER_MS));
    return abort;
  }
}

/** What a Node timer can hold: a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Timers of two modules for the same moment may fire this far apart. */
const TIMER_SLACK_MS = 2;

export function deadlineExceeded(): Fault {
  return new Fault(
    'DEADLINE_EXCEEDED',
    'the deadline passed before the call was done; whether a write happened is not known',
  );
}
