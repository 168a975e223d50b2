import type { Message } from '@bufbuild/protobuf';
import { Fault } from '../platform/faults.ts';
import type { StreamMethod } from './method.ts';
import type { OpenStreams } from './open-streams.ts';
import { DEFAULT_DEADLINE_MS, deadlineExceeded, type RpcCall } from './rpc-call.ts';
import type { Step } from './step.ts';
import { firstRequest, permittedRequests } from './stream-requests.ts';
import { untilStopped } from './until-stopped.ts';

// One streaming call, from its headers to its status. The transport pulls: a message is made when the one before it was taken, so that a
// peer that reads slowly slows its own stream and fills nothing here.

/** A peer that takes nothing of what it is sent for this long is not reading; its stream ends, and a watch can be resumed. */
export const STALL_MS = 60_000;

export interface StreamParts {
  /** Before the first request is decoded. */
  readonly admit: Step;
  readonly permit: Step;
  /** After the permission and before the handler. */
  readonly limit: Step;
  readonly streams: OpenStreams;
  /** Sets the status, counts and logs. Called exactly once. */
  readonly finish: (call: RpcCall, error: unknown) => void;
}

/** Never throws: when it is done, or was let go of, `call.status` says how the call ended; undefined: well. */
export async function* serveStream(
  call: RpcCall,
  method: StreamMethod,
  source: AsyncIterable<Message>,
  parts: StreamParts,
): AsyncGenerator<Message, void, undefined> {
  const requests = source[Symbol.asyncIterator]();
  let leave: (() => void) | undefined;
  let isOver = false;
  let responses: AsyncIterator<Message> | undefined;
  let error: unknown;
  let isWhole = false;
  try {
    const first = await open(call, requests, parts, (left) => {
      if (isOver) left();
      else leave = left;
    });
    const given = permittedRequests(call, first, requests, parts.permit);
    responses = method.open(call, first, given)[Symbol.asyncIterator]();
    for (;;) {
      const step = await untilStopped(call.signal, responses.next());
      if (step.done === true) break;
      call.incoming.prepare(step.value);
      const stalled = setTimeout(() => stall(call), STALL_MS);
      try {
        yield step.value;
      } finally {
        clearTimeout(stalled);
      }
    }
    isWhole = true;
  } catch (thrown) {
    error = thrown;
  } finally {
    isOver = true;
    leave?.();
    // Not awaited: a handler that is waiting for something lets go when its signal tells it to.
    letGo(responses);
    letGo(requests);
    const given = call.signal.aborted ? call.signal.reason : new Fault('CANCELLED', 'the caller went away');
    parts.finish(call, isWhole ? undefined : (error ?? given));
  }
}

/** Opening is bounded in time although the stream is not: a client that sends headers and nothing else holds no place for long. */
async function open(
  call: RpcCall,
  requests: AsyncIterator<Message>,
  { admit, permit, limit, streams }: StreamParts,
  entered: (leave: () => void) => void,
): Promise<Message> {
  const timer = setTimeout(() => call.stop(deadlineExceeded()), DEFAULT_DEADLINE_MS);
  const steps = async (): Promise<Message> => {
    await admit(call);
    entered(streams.enter(call));
    const first = await firstRequest(call, requests);
    call.request = first;
    await permit(call);
    await limit(call);
    return first;
  };
  try {
    // Begun before the signal is made: the first step says when the call ends, which for a stream is never.
    const opening = steps();
    return await untilStopped(call.signal, opening);
  } finally {
    clearTimeout(timer);
  }
}

function stall(call: RpcCall): void {
  call.stop(new Fault('CANCELLED', 'the caller does not read what it is sent'));
  call.incoming.cut?.();
}

function letGo(iterator: AsyncIterator<Message> | undefined): void {
  iterator?.return?.(undefined).catch(() => {});
}
