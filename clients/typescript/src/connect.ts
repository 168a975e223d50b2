import type { DescMessage, DescMethod, MessageShape } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createContextKey,
  type Interceptor,
  type StreamRequest,
  type UnaryRequest,
} from '@connectrpc/connect';
import { createGuardCore, type GuardOptions } from './guard/guard-core.ts';
import { type IncomingRequest, originOf } from './guard/incoming-request.ts';
import type { ResourceOfRequest } from './guard/permission-gate.ts';
import type { Principal } from './guard/principal.ts';
import { Refusal } from './guard/refusal.ts';
import type { Sallyport } from './sallyport.ts';

export type { GuardOptions } from './guard/guard-core.ts';
export type { ResourceOfRequest } from './guard/permission-gate.ts';
export type { Principal } from './guard/principal.ts';
export { Refusal } from './guard/refusal.ts';

/** A request of Connect, of either kind. */
export type ConnectRequest = UnaryRequest | StreamRequest;

/** Who a call is from: `context.values.get(principalKey)` in a handler; undefined in a public one without a credential. */
export const principalKey = createContextKey<Principal | undefined>(undefined, {
  description: 'who the call is from',
});

/** What a call needs. `public`: nothing, and a credential that it brings is looked at. `authenticated`: any good credential. */
export type Rule =
  | 'public'
  | 'authenticated'
  | {
      readonly permission: string;
      /** What it is about, from the message; not for calls that stream their requests. Absent: the whole tenant. */
      readonly resource?: (message: MessageShape<DescMessage>) => ResourceOfRequest;
    };

export interface ConnectGuardOptions extends GuardOptions<ConnectRequest> {
  /** The rule of each method. Undefined: nobody may call it. */
  readonly rules: (method: DescMethod) => Rule | undefined;
  /** The caller's address, where the application knows it; needed for API keys with allowed networks. */
  readonly ip?: (request: ConnectRequest) => string | undefined;
}

const CODES: Readonly<Record<number, Code>> = {
  400: Code.InvalidArgument,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  429: Code.ResourceExhausted,
  503: Code.Unavailable,
};

/**
 * An interceptor for the server side of Connect: credentials as for Express, and one rule for each method. Refused calls end with
 * UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED or UNAVAILABLE, and the header `problem-code`. Within 3 s before the handler.
 */
export function guard(sallyport: Sallyport, options: ConnectGuardOptions): Interceptor {
  const core = createGuardCore<ConnectRequest>(sallyport, options, (request) => incomingOf(request, options.ip));
  const check = async (request: ConnectRequest): Promise<void> => {
    const rule = options.rules(request.method);
    if (rule === undefined) throw new Refusal('forbidden');
    const principal = await core.authenticate(request, rule === 'public');
    if (principal !== undefined) request.contextValues.set(principalKey, principal);
    if (typeof rule === 'string') return;
    const { permission, resource } = rule;
    if (resource !== undefined && request.stream)
      throw new Error(`the rule of ${request.method.name} looks at a message`);
    await core.require(request, permission, request.stream ? undefined : resource?.(request.message));
  };
  return (next) => async (request) => {
    try {
      await check(request);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      core.report(error);
      const headers = { ...error.headers, 'problem-code': error.code };
      throw new ConnectError(error.message, CODES[error.status] ?? Code.Internal, headers);
    }
    return next(request);
  };
}

function incomingOf(request: ConnectRequest, ip: ConnectGuardOptions['ip']): IncomingRequest {
  const header = (name: string): string | undefined => request.header.get(name) ?? undefined;
  const { protocol } = new URL(request.url);
  return {
    method: request.requestMethod,
    url: request.url,
    header,
    ip: ip?.(request),
    ownOrigin: originOf(protocol.slice(0, -1), header('host') ?? header(':authority')),
    formToken: undefined,
  };
}
