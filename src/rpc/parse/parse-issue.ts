import type { CookieOptions, IssueOptions, TokenOptions } from '../../../gen/sallyport/v1/session_pb.ts';
import { parsePattern } from '../../domain/decision/permission.ts';
import type { IssueRequest } from '../../domain/identity/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import type { CookieRequest, TokenRequest } from '../../domain/session/use-cases.ts';
import type { Violations } from '../../domain/violations.ts';
import { parseAttributes } from './parse-attributes.ts';
import { opaqueText, requiredText } from './parse-text.ts';

/** RFC 6265 section 4.1.1: a cookie name is an HTTP token. */
const COOKIE_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** What a login should end in, from the field `issue`. Absent: an authentication token. */
export function parseIssue(value: IssueOptions | undefined, violations: Violations): IssueRequest | undefined {
  if (value === undefined) return undefined;
  switch (value.kind.case) {
    case 'tokens':
      return parseTokenOptions(value.kind.value, 'issue.tokens', violations);
    case 'cookie':
      return parseCookieOptions(value.kind.value, 'issue.cookie', violations);
    case undefined:
      violations.add('issue', 'must hold one of tokens, cookie');
      return undefined;
  }
}

export function parseTokenOptions(
  value: TokenOptions | undefined,
  field: string,
  violations: Violations,
): TokenRequest {
  if (value === undefined) {
    violations.add(field, 'is required, for example {"audience": ["reports"]}');
    return { kind: 'tokens', audience: [], scopes: [], claims: {} };
  }
  const { audience, scopes, claims } = value;
  if (audience.length === 0) violations.add(`${field}.audience`, 'is required: who the access token is for');
  else if (audience.length > limits.audiences) {
    violations.add(`${field}.audience`, `must be at most ${limits.audiences}, were ${audience.length}`);
  } else {
    for (const [index, one] of audience.entries()) {
      requiredText(one, `${field}.audience[${index}]`, limits.audienceChars, violations);
    }
  }
  return {
    kind: 'tokens',
    audience,
    scopes: parseScopes(scopes, `${field}.scopes`, violations),
    claims: parseAttributes(claims, `${field}.claims`, violations, limits.claimsBytes),
    ...(value.includeRoles ? { includeRoles: true } : {}),
  };
}

/** Permission patterns that narrow: at most 100. */
export function parseScopes(values: readonly string[], field: string, violations: Violations): readonly string[] {
  if (values.length > limits.scopes) violations.add(field, `must be at most ${limits.scopes}, were ${values.length}`);
  else for (const [index, one] of values.entries()) parsePattern(one, `${field}[${index}]`, violations);
  return values;
}

export function parseCookieOptions(value: CookieOptions, field: string, violations: Violations): CookieRequest {
  const { name, previousSessionToken } = value;
  if (name.length > limits.cookieNameChars || (name !== '' && !COOKIE_NAME.test(name))) {
    violations.add(`${field}.name`, `must be a cookie name of at most ${limits.cookieNameChars} characters, or empty`);
  }
  if (previousSessionToken !== '') opaqueText(previousSessionToken, `${field}.previous_session_token`, violations);
  return { kind: 'cookie', name, previousSessionToken };
}
