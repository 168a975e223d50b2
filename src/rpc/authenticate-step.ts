import type { Caller } from '../domain/call.ts';
import type { AuthenticateCaller, AuthenticateCertificate } from '../domain/caller/caller-ports.ts';
import { DomainError } from '../domain/errors.ts';
import { Fault } from '../platform/faults.ts';
import type { TokenBuckets } from '../platform/token-buckets.ts';
import type { RpcCall } from './rpc-call.ts';
import type { Step } from './step.ts';

// Who calls. The errors speak to the engineer whose first call this is.

const HOW =
  'send the header "authorization: Bearer <API key of tenant sallyport>"; the first key is in the file admin.key in the data directory of the server';
/** What nearly every caller sends; RFC 9110 section 11.1 allows any case, and more spaces. */
const USUAL = 'Bearer sk_';
const SCHEME_CHARS = 7;
const SCHEME = /^Bearer +(?=\S)/i;
/** Sallyport's own keys have 74 characters; what is longer than this is not looked at. */
const MAX_KEY_CHARS = 256;

/**
 * A peer that presented too many wrong credentials gets no more of them checked until it has waited. One that this process already knows to
 * be good is let in all the same: behind a proxy every service has one address, and one of them that loops with a wrong key must
 * not shut out the others. Without a key the caller is whoever its client certificate says; with one, the key counts.
 */
export function authenticateStep(
  authenticate: AuthenticateCaller,
  authenticateCertificate: AuthenticateCertificate,
  failures: TokenBuckets,
): Step {
  return (call) => {
    if (call.method.rule.kind === 'public') return undefined;
    const header = call.incoming.header('authorization');
    if (header === undefined) return acceptCertificate(call, authenticateCertificate);
    const key = presentedKey(header);
    const waitMs = failures.size === 0 ? 0 : failures.waitMs(call.incoming.peer());
    if (waitMs > 0) return acceptKnown(call, key, authenticate, waitMs);
    const found = presented(call, key, authenticate, () => call.signal);
    if (!(found instanceof Promise)) return accept(call, found, failures);
    return found.then((caller) => accept(call, caller, failures));
  };
}

/** Already aborted: whatever is not in memory is not looked up. */
const MEMORY_ONLY = AbortSignal.abort(new Fault('CANCELLED', 'only what is in memory was asked for'));

function acceptKnown(call: RpcCall, key: string, authenticate: AuthenticateCaller, waitMs: number): undefined {
  const found = presented(call, key, authenticate, () => MEMORY_ONLY);
  if (found instanceof Promise) found.catch(() => undefined);
  if (found === undefined || found instanceof Promise) throw tooManyFailures(waitMs);
  call.caller = found;
}

function presented(
  call: RpcCall,
  key: string,
  authenticate: AuthenticateCaller,
  signal: () => AbortSignal,
): ReturnType<AuthenticateCaller> {
  return key.length > MAX_KEY_CHARS ? undefined : authenticate(key, signal, () => call.incoming.peer());
}

/** The certificate was verified at the handshake: there is nothing to guess, so a wrong one costs no attempt. */
function acceptCertificate(call: RpcCall, authenticate: AuthenticateCertificate): undefined {
  const names = call.incoming.certificateNames();
  const caller = authenticate(names);
  if (caller === undefined) {
    const but = names.length === 0 ? '' : ', and the client certificate is not in SALLYPORT_TLS_CLIENT_SERVICES';
    throw unauthenticated(`no credential${but}: ${HOW}`);
  }
  call.caller = caller;
}

function presentedKey(header: string): string {
  if (header.startsWith(USUAL)) return header.slice(SCHEME_CHARS);
  const scheme = SCHEME.exec(header);
  if (scheme === null) throw unauthenticated(`the authorization header is not a bearer key: ${HOW}`);
  return header.slice(scheme[0].length);
}

function accept(call: RpcCall, caller: Caller | undefined, failures: TokenBuckets): undefined {
  if (caller === undefined) {
    // Calls in flight together may each have passed the check before: the bucket still bounds what comes after them.
    failures.take(call.incoming.peer());
    throw unauthenticated(`the API key is not valid: ${HOW}`);
  }
  call.caller = caller;
}

function unauthenticated(message: string): DomainError {
  return new DomainError('CALLER_UNAUTHENTICATED', message);
}

function tooManyFailures(retryAfterMs: number): DomainError {
  return new DomainError('CALLER_RATE_LIMITED', 'too many wrong credentials from this address', { retryAfterMs });
}
