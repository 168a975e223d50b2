import type { Message } from '@bufbuild/protobuf';
import type { AuthenticateCaller, AuthenticateCertificate, PermitCaller } from '../domain/caller/caller-ports.ts';
import type { DomainError } from '../domain/errors.ts';
import type { Clock, TurnClock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { RandomSource } from '../platform/random.ts';
import { type BucketSettings, createTokenBuckets, type TokenBuckets } from '../platform/token-buckets.ts';
import { authenticateStep } from './authenticate-step.ts';
import { callerRateStep } from './caller-rate-step.ts';
import { toRpcStatus } from './error-table.ts';
import type { RpcMethod } from './method.ts';
import { isCallerRefusal, type Observe, observer } from './observe.ts';
import {
  createOpenStreams,
  defaultStreamLimits,
  type OnRightsChange,
  type OpenStreams,
  type StreamLimits,
} from './open-streams.ts';
import { permitStep } from './permit-step.ts';
import { DEFAULT_DEADLINE_MS, deadlineExceeded, type Incoming, MAX_DEADLINE_MS, RpcCall } from './rpc-call.ts';
import { serveStream } from './serve-stream.ts';
import type { Step } from './step.ts';

// The request pipeline: one ordered list of steps, the same for every transport. As long as no step waits, a call runs to its end
// without a promise or a timer: that is what keeps a decision from memory within the cost of a bare echo.

export interface PipelinePorts {
  readonly authenticateCaller: AuthenticateCaller;
  /** Absent: certificates make no caller. */
  readonly authenticateCertificate?: AuthenticateCertificate | undefined;
  readonly permitCaller: PermitCaller;
  /** One that can stand still does so while the steps of a call run without waiting. */
  readonly clock: Clock | TurnClock;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Open streams check their caller again when it tells; undefined: at intervals only. */
  readonly onRightsChange?: OnRightsChange | undefined;
  /** Told of each call whose caller was refused: no right, no valid credential, too many calls. Must be quick and must not throw. */
  readonly onCallerRefused?: ((call: RpcCall, error: DomainError) => void) | undefined;
  /** Open streams end when it aborts. */
  readonly stopping?: AbortSignal | undefined;
}

const nobody: AuthenticateCertificate = () => undefined;

export interface PipelineLimits {
  /** Wrong credentials per peer address. */
  readonly failedCredentials: BucketSettings;
  /** Calls per calling service. */
  readonly callerCalls: BucketSettings;
  readonly streams: StreamLimits;
}

/** A service that needs more than this in one process needs more processes; a runaway loop in one caller must not starve the others. */
export const defaultPipelineLimits: PipelineLimits = {
  failedCredentials: { perSecond: 1, burst: 20 },
  callerCalls: { perSecond: 50_000, burst: 100_000 },
  streams: defaultStreamLimits,
};

export interface Pipeline {
  /** A call at its beginning. */
  begin(method: RpcMethod, incoming: Incoming): RpcCall;
  /** Steps before the request is decoded. Like `run`, it never throws: `call.status` says why a call is refused. */
  admit(call: RpcCall): undefined | Promise<void>;
  /** Instead of `serve` or `stream`: the transport could not read the request of an admitted call. Sets its status, counts and logs it. */
  refuse(call: RpcCall, error: unknown): void;
  /** The steps after `admit`. */
  serve(call: RpcCall): undefined | Promise<void>;
  /** Both: afterwards the call has either a response or a status, and has been counted and logged. */
  run(call: RpcCall): undefined | Promise<void>;
  /**
   * A streaming call, with the requests that its transport decodes; `admit` may have been called before. Yields what is to be sent, each
   * after `incoming.prepare`, and never throws: at its end `call.status` says how it went. Letting go of it cancels the call.
   */
  stream(call: RpcCall, requests: AsyncIterable<Message>): AsyncGenerator<Message, void, undefined>;
}

/** `methods` are those that it will see: a metric names no other. */
export function createPipeline(
  ports: PipelinePorts,
  methods: readonly RpcMethod[],
  limits: PipelineLimits = defaultPipelineLimits,
): Pipeline {
  const { clock, random } = ports;
  const turn: Turn = 'hold' in clock ? clock : { hold: () => {}, release: () => {} };
  const failures: TokenBuckets = createTokenBuckets(limits.failedCredentials, clock);
  const observe = withRefusals(observer(ports.logger, ports.metrics, methods, clock), ports.onCallerRefused);
  const permit = permitStep(ports.permitCaller);
  const rate = callerRateStep(createTokenBuckets(limits.callerCalls, clock));
  const admission: readonly Step[] = [
    deadlineStep,
    authenticateStep(ports.authenticateCaller, ports.authenticateCertificate ?? nobody, failures),
  ];
  const service: readonly Step[] = [decodeStep, permit, rate, handleStep, prepareStep];
  const all = [...admission, ...service];
  const streams = openStreams(ports, limits, permit);
  const admit: Pipeline['admit'] = (call) =>
    walk(turn, call, admission, (error) => {
      call.admitted = error === undefined;
      if (error !== undefined) finish(call, observe, error);
    });
  const parts = {
    admit: (call: RpcCall) => (call.admitted ? undefined : advance(call, admission, 0)),
    permit,
    limit: rate,
    streams,
    finish: (call: RpcCall, error: unknown) => finish(call, observe, error),
  };
  return {
    begin: (method, incoming) => new RpcCall(method, incoming, clock, random),
    admit,
    refuse: parts.finish,
    serve: (call) => walk(turn, call, service, (error) => finish(call, observe, error)),
    run: (call) => walk(turn, call, all, (error) => finish(call, observe, error)),
    stream: (call, requests) => {
      if (call.method.kind !== 'stream') throw new Error(`${call.method.path} is not a stream`);
      return serveStream(call, call.method, requests, parts);
    },
  };
}

/** The checks that an open stream must go on passing. Its failures are not a guess at a credential, so they count against nobody. */
function openStreams(ports: PipelinePorts, limits: PipelineLimits, permit: Step): OpenStreams {
  const nobodyFails = createTokenBuckets({ perSecond: 1, burst: 1 }, ports.clock);
  const authenticate = authenticateStep(ports.authenticateCaller, ports.authenticateCertificate ?? nobody, {
    ...nobodyFails,
    take: () => 0,
  });
  const permitAgain: Step = (call) => (call.request === undefined ? undefined : permit(call));
  const streams = createOpenStreams((call) => advance(call, [authenticate, permitAgain], 0), {
    limits: limits.streams,
    onRightsChange: ports.onRightsChange,
    stopping: ports.stopping,
  });
  ports.metrics.gauge({ name: 'rpc_open_streams', help: 'Streams that are open now.' }, () => streams.count);
  return streams;
}

type Turn = Pick<TurnClock, 'hold' | 'release'>;

/** Runs the steps; `done` gets what stopped them, or undefined. */
function walk(
  turn: Turn,
  call: RpcCall,
  steps: readonly Step[],
  done: (error: unknown) => void,
): undefined | Promise<void> {
  let waiting: undefined | Promise<void>;
  try {
    waiting = withoutWaiting(turn, call, steps);
  } catch (error) {
    return void done(error);
  }
  if (waiting === undefined) return void done(undefined);
  return untilDeadline(call, waiting).then(() => done(undefined), done);
}

/** The steps up to the first that waits see one time. */
function withoutWaiting(turn: Turn, call: RpcCall, steps: readonly Step[]): undefined | Promise<void> {
  turn.hold();
  try {
    return advance(call, steps, 0);
  } finally {
    turn.release();
  }
}

function advance(call: RpcCall, steps: readonly Step[], from: number): undefined | Promise<void> {
  for (let index = from; index < steps.length; index += 1) {
    const waiting = steps[index]?.(call);
    if (waiting !== undefined) return waiting.then(() => advance(call, steps, index + 1));
  }
  return undefined;
}

/** The caller is answered at its deadline even if a step does not heed the signal; that step's late result goes nowhere. */
function untilDeadline(call: RpcCall, waiting: Promise<void>): Promise<void> {
  const { signal } = call;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    waiting.then(resolve, reject);
  });
}

function finish(call: RpcCall, observe: Observe, error: unknown): undefined {
  call.end();
  if (error !== undefined) {
    call.response = undefined;
    call.status = toRpcStatus(error, () => call.requestId);
  }
  observe(call, error);
}

/** Refusals of callers are events of the audit trail. */
function withRefusals(observe: Observe, told: PipelinePorts['onCallerRefused']): Observe {
  if (told === undefined) return observe;
  return (call, error) => {
    observe(call, error);
    if (isCallerRefusal(error)) told(call, error);
  };
}

const deadlineStep: Step = (call) => {
  const given = call.incoming.deadlineMs();
  if (call.method.kind === 'stream') call.deadlineMs = given;
  else call.deadlineMs = given === Number.POSITIVE_INFINITY ? DEFAULT_DEADLINE_MS : Math.min(given, MAX_DEADLINE_MS);
  if (given <= 0) throw deadlineExceeded();
  return undefined;
};

const decodeStep: Step = (call) => {
  call.request = call.incoming.message();
  return undefined;
};

const handleStep: Step = (call) => {
  if (call.method.kind !== 'unary') throw new Error(`${call.method.path} is a stream`);
  const answer = call.method.handle(call, call.decoded());
  if (!(answer instanceof Promise)) {
    call.response = answer;
    return undefined;
  }
  return answer.then((response) => {
    call.response = response;
  });
};

const prepareStep: Step = (call) => {
  if (call.response === undefined) throw new Error(`${call.method.path} has no response`);
  call.incoming.prepare(call.response);
  return undefined;
};
