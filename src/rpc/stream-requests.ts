import type { Message } from '@bufbuild/protobuf';
import { DomainError } from '../domain/errors.ts';
import { Violations } from '../domain/violations.ts';
import type { RpcCall } from './rpc-call.ts';
import type { Step } from './step.ts';
import { untilStopped } from './until-stopped.ts';

// What a client sends in a stream: the first message says which tenant it is about, and is what the call's permission is asked for. No
// later one may be about another.

/** A client that sends nothing for this long, in a stream that it alone drives, is cut off. */
const IDLE_MS = 60_000;

/** Throws INVALID_ARGUMENT when the stream ends before it. */
export async function firstRequest(call: RpcCall, requests: AsyncIterator<Message>): Promise<Message> {
  const step = await untilStopped(call.signal, requests.next());
  if (step.done !== true) return step.value;
  throw new DomainError('INVALID_ARGUMENT', 'the stream ended before its first message');
}

/** All of them, beginning with the first; each later one is permitted by itself, as fields of it may need further permissions. */
export async function* permittedRequests(
  call: RpcCall,
  first: Message,
  requests: AsyncIterator<Message>,
  permit: Step,
): AsyncGenerator<Message, void, undefined> {
  yield first;
  const tenant = tenantOf(first);
  for (;;) {
    const step = await untilStopped(call.signal, withinIdleTime(call, requests.next()));
    if (step.done === true) return;
    const request = step.value;
    sameTenant(request, tenant);
    call.request = request;
    await permit(call);
    yield request;
  }
}

function withinIdleTime<T>(call: RpcCall, next: Promise<T>): Promise<T> {
  if (call.method.desc.methodKind !== 'client_streaming') return next;
  const idle = setTimeout(
    () => call.stop(new DomainError('INVALID_ARGUMENT', `nothing was sent for ${IDLE_MS / 1000} s`)),
    IDLE_MS,
  );
  return next.finally(() => clearTimeout(idle));
}

function tenantOf(request: object): string {
  return 'tenant' in request && typeof request.tenant === 'string' ? request.tenant : '';
}

/** Empty means the tenant of the first message, not `default`. */
function sameTenant(request: Message & { tenant?: unknown }, tenant: string): void {
  if (!('tenant' in request)) return;
  if (request.tenant !== '' && request.tenant !== tenant) {
    const violations = new Violations();
    violations.add('tenant', 'must be empty or that of the first message of the stream');
    violations.throwIfAny();
  }
  request.tenant = tenant;
}
