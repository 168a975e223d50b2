import type { AuthenticateCaller, PermitCaller } from '../domain/caller/caller-ports.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { RandomSource } from '../platform/random.ts';
import { authenticateStep, failedCredentialStep } from './authenticate-step.ts';
import { callerRateStep } from './caller-rate-step.ts';
import { toRpcStatus } from './error-table.ts';
import type { RpcMethod } from './method.ts';
import { type Observe, observer } from './observe.ts';
import { permitStep } from './permit-step.ts';
import { DEFAULT_DEADLINE_MS, deadlineExceeded, type Incoming, MAX_DEADLINE_MS, RpcCall } from './rpc-call.ts';
import type { Step } from './step.ts';
import { type BucketSettings, createTokenBuckets, type TokenBuckets } from './token-buckets.ts';

// The request pipeline: one ordered list of steps, the same for every transport. As long as no step waits, a call runs to its end
// without a promise or a timer: that is what keeps a decision from memory within the cost of a bare echo.

export interface PipelinePorts {
  readonly authenticateCaller: AuthenticateCaller;
  readonly permitCaller: PermitCaller;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface PipelineLimits {
  /** Wrong credentials per peer address. */
  readonly failedCredentials: BucketSettings;
  /** Calls per calling service. */
  readonly callerCalls: BucketSettings;
}

/** A service that needs more than this in one process needs more processes; a runaway loop in one caller must not starve the others. */
export const defaultPipelineLimits: PipelineLimits = {
  failedCredentials: { perSecond: 1, burst: 20 },
  callerCalls: { perSecond: 50_000, burst: 100_000 },
};

export interface Pipeline {
  /** A call at its beginning. */
  begin(method: RpcMethod, incoming: Incoming): RpcCall;
  /** Steps before the request is decoded. Like `run`, it never throws: `call.status` says why a call is refused. */
  admit(call: RpcCall): undefined | Promise<void>;
  /** The steps after `admit`. */
  serve(call: RpcCall): undefined | Promise<void>;
  /** Both: afterwards the call has either a response or a status, and has been counted and logged. */
  run(call: RpcCall): undefined | Promise<void>;
}

/** `methods` are those that it will see: a metric names no other. */
export function createPipeline(
  ports: PipelinePorts,
  methods: readonly RpcMethod[],
  limits: PipelineLimits = defaultPipelineLimits,
): Pipeline {
  const { clock, random } = ports;
  const failures: TokenBuckets = createTokenBuckets(limits.failedCredentials, clock);
  const observe = observer(ports.logger, ports.metrics, methods);
  const admission: readonly Step[] = [
    deadlineStep,
    failedCredentialStep(failures),
    authenticateStep(ports.authenticateCaller, failures),
  ];
  const service: readonly Step[] = [
    decodeStep,
    permitStep(ports.permitCaller),
    callerRateStep(createTokenBuckets(limits.callerCalls, clock)),
    handleStep,
    prepareStep,
  ];
  const all = [...admission, ...service];
  return {
    begin: (method, incoming) => new RpcCall(method, incoming, clock, random),
    admit: (call) => walk(call, admission, (error) => (error === undefined ? undefined : finish(call, observe, error))),
    serve: (call) => walk(call, service, (error) => finish(call, observe, error)),
    run: (call) => walk(call, all, (error) => finish(call, observe, error)),
  };
}

/** Runs the steps; `done` gets what stopped them, or undefined. */
function walk(call: RpcCall, steps: readonly Step[], done: (error: unknown) => void): undefined | Promise<void> {
  let waiting: undefined | Promise<void>;
  try {
    waiting = advance(call, steps, 0);
  } catch (error) {
    return void done(error);
  }
  if (waiting === undefined) return void done(undefined);
  return untilDeadline(call, waiting).then(() => done(undefined), done);
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

const deadlineStep: Step = (call) => {
  const given = call.incoming.deadlineMs();
  call.deadlineMs = given === Number.POSITIVE_INFINITY ? DEFAULT_DEADLINE_MS : Math.min(given, MAX_DEADLINE_MS);
  if (given <= 0) throw deadlineExceeded();
  return undefined;
};

const decodeStep: Step = (call) => {
  call.request = call.incoming.message();
  return undefined;
};

const handleStep: Step = (call) => {
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
