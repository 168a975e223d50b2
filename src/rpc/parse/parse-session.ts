import type {
  CreateSessionRequest,
  ListSessionsRequest,
  RevokeSessionsRequest,
  VerifySessionRequest,
} from '../../../gen/sallyport/v1/session_pb.ts';
import { limits } from '../../domain/limits.ts';
import { isSafeMethod } from '../../domain/session/check-csrf.ts';
import type {
  CreateSessionInput,
  ListSessionsInput,
  RevokeTarget,
  VerifySessionInput,
} from '../../domain/session/use-cases.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { parseClient } from './parse-client.ts';
import { parseCookieOptions } from './parse-issue.ts';
import { parsePage } from './parse-page.ts';
import { parseUserOrService } from './parse-principal.ts';
import { opaqueText } from './parse-text.ts';

/** RFC 9110 section 9.1: a token; ours are upper case, so that `get` cannot pass for a safe method or a misspelt one. */
const METHOD = /^[A-Z][A-Z0-9_-]{0,31}$/;
/** RFC 6454 section 6.2, as browsers write it: no path, no trailing slash. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@\p{C}]+$/u;
const ORIGIN_CHARS = 320;

export function parseCreateSession(request: CreateSessionRequest): CreateSessionInput {
  const violations = new Violations();
  const input: CreateSessionInput = {
    tenant: parseTenantId(request.tenant, violations),
    authenticationToken: opaqueText(request.authenticationToken, 'authentication_token', violations),
    request:
      request.cookie === undefined
        ? { kind: 'cookie', name: '', previousSessionToken: '' }
        : parseCookieOptions(request.cookie, 'cookie', violations),
    client: parseClient(request.client, violations),
  };
  violations.throwIfAny();
  return input;
}

export function parseVerifySession(request: VerifySessionRequest): VerifySessionInput {
  const violations = new Violations();
  const { httpMethod, origin, allowedOrigins, csrfToken } = request;
  if (!METHOD.test(httpMethod))
    violations.add('http_method', 'is required: an HTTP method in upper case, such as POST');
  else if (!isSafeMethod(httpMethod) && allowedOrigins.length === 0) {
    violations.add('allowed_origins', 'is required for an unsafe method, for example https://shop.example.com');
  }
  if (allowedOrigins.length > limits.allowedOrigins) {
    violations.add('allowed_origins', `must be at most ${limits.allowedOrigins}, were ${allowedOrigins.length}`);
  }
  for (const [index, one] of allowedOrigins.slice(0, limits.allowedOrigins).entries()) {
    if (one.length > ORIGIN_CHARS || !ORIGIN.test(one)) {
      const accepted = 'must be scheme, host and port without a path, for example https://shop.example.com';
      violations.add(`allowed_origins[${index}]`, accepted);
    }
  }
  if (csrfToken !== '') opaqueText(csrfToken, 'csrf_token', violations);
  const input: VerifySessionInput = {
    tenant: parseTenantId(request.tenant, violations),
    sessionToken: opaqueText(request.sessionToken, 'session_token', violations),
    // Whatever a browser sent is no mistake of the caller's: an odd origin is refused, not reported.
    request: { method: httpMethod, origin, allowedOrigins, csrfToken },
  };
  violations.throwIfAny();
  return input;
}

export function parseListSessions(request: ListSessionsRequest): ListSessionsInput {
  const violations = new Violations();
  const input: ListSessionsInput = {
    tenant: parseTenantId(request.tenant, violations),
    subject: parseUserOrService(request.subject, 'subject', violations),
    page: parsePage(request, violations),
  };
  violations.throwIfAny();
  return input;
}

export function parseRevokeTarget(selector: RevokeSessionsRequest['selector'], violations: Violations): RevokeTarget {
  switch (selector.case) {
    case 'sessionId':
      return { kind: 'session', sessionId: checkId(selector.value, 'session_id', violations) };
    case 'sessionToken':
      return { kind: 'session_token', token: opaqueText(selector.value, 'session_token', violations) };
    case 'refreshToken':
      return { kind: 'refresh_token', token: opaqueText(selector.value, 'refresh_token', violations) };
    case 'userId':
      return { kind: 'user', userId: checkId(selector.value, 'user_id', violations) };
    case undefined:
      violations.add('selector', 'is required: one of session_id, session_token, refresh_token, user_id');
      return { kind: 'session', sessionId: '' };
  }
}
