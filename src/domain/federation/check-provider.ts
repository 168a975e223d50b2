import { limits } from '../limits.ts';
import type { Violations } from '../violations.ts';
import type { ProviderKind } from './use-cases.ts';

// What a registered provider may be. Hosts are not judged here: where a name leads to is known only when it is connected to.

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;
/** RFC 6749 appendix A.1 and A.2: visible ASCII and the space. */
const VISIBLE = /^[\x20-\x7E]+$/;
const ACR = /^[\x21-\x7E]{1,128}$/;
/** Below it clocks and the pages behind the provider's login would decide. */
const MIN_AGE_MS = 60_000;
const MAX_AGE_MS = 24 * 3_600_000;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
/** GitHub's users are told apart by number under this issuer: no OpenID provider may speak for it. */
const GITHUB = 'https://github.com';
/** As a plain provider it would be believed about addresses that it does not vouch for (src/federation/oidc-protocol.ts). */
const GOOGLE = 'https://accounts.google.com';
/** No control character, which parsers of URLs pass over. */
const ISSUER = /^https:\/\/[\x21-\x7E]+$/;

export function checkKind(kind: ProviderKind, violations: Violations): void {
  switch (kind.kind) {
    case 'oidc':
      checkIssuer(kind.issuer, violations);
      checkAuthentication(kind, violations);
      return;
    case 'microsoft':
      if (!UUID.test(kind.tenantId)) {
        violations.add(
          'microsoft.tenant_id',
          'must be the id of one directory, a UUID: `common`, `organizations` and `consumers` would let any directory in',
        );
      }
      return;
    case 'google':
    case 'github':
      return;
  }
}

function checkIssuer(issuer: string, violations: Violations): void {
  const url = issuer.length > limits.issuerChars ? null : URL.parse(issuer);
  const isPlain = url !== null && url.username === '' && url.password === '' && !/[?#]/.test(issuer);
  if (url?.protocol !== 'https:' || !isPlain || !ISSUER.test(issuer)) {
    violations.add(
      'oidc.issuer',
      `must be an https URL without query, fragment or credentials, at most ${limits.issuerChars} characters`,
    );
  } else if (url.origin === GITHUB) {
    violations.add('oidc.issuer', 'must be another: for GitHub use the kind github');
  } else if (url.origin === GOOGLE) {
    violations.add('oidc.issuer', 'must be another: for Google use the kind google');
  } else if (url.origin === 'https://login.microsoftonline.com' && !UUID.test(url.pathname.split('/')[1] ?? '')) {
    violations.add('oidc.issuer', 'must name one directory by its UUID; better use the kind microsoft');
  }
}

function checkAuthentication(
  { maxAuthenticationAgeMs: age = MIN_AGE_MS, acrValues = [] }: Extract<ProviderKind, { readonly kind: 'oidc' }>,
  violations: Violations,
): void {
  if (!(age >= MIN_AGE_MS && age <= MAX_AGE_MS)) {
    violations.add('oidc.max_authentication_age', `must be ${MIN_AGE_MS / 1000} to ${MAX_AGE_MS / 1000} s`);
  }
  if (acrValues.length > limits.acrValues) {
    violations.add('oidc.acr_values', `must be at most ${limits.acrValues}, were ${acrValues.length}`);
    return;
  }
  for (const [index, value] of acrValues.entries()) {
    // They are sent in one parameter, with spaces between.
    if (!ACR.test(value)) violations.add(`oidc.acr_values[${index}]`, 'must be 1 to 128 visible ASCII characters');
  }
}

export function checkScopes(scopes: readonly string[], field: string, violations: Violations): void {
  if (scopes.length > limits.providerScopes) {
    violations.add(field, `must be at most ${limits.providerScopes}, were ${scopes.length}`);
    return;
  }
  for (const [index, scope] of scopes.entries()) {
    if (!SCOPE.test(scope)) {
      violations.add(`${field}[${index}]`, 'must be a scope: 1 to 128 visible characters without quotes and spaces');
    }
  }
}

/**
 * Redirect URIs are compared as text (RFC 9700 section 2.1), so each must be as browsers write it. A query is refused: what comes back in it
 * could not be told from what belongs to it.
 */
export function checkRedirectUris(uris: readonly string[], field: string, violations: Violations): void {
  if (uris.length === 0 || uris.length > limits.redirectUris) {
    violations.add(field, `must be 1 to ${limits.redirectUris}, were ${uris.length}`);
    return;
  }
  for (const [index, uri] of uris.entries()) {
    const problem = problemOf(uri);
    if (problem !== undefined) violations.add(`${field}[${index}]`, problem);
  }
}

function problemOf(uri: string): string | undefined {
  if (uri.length > limits.redirectUriChars) return `must be at most ${limits.redirectUriChars} characters`;
  const url = URL.parse(uri);
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (url === null || !isSecure) return 'must be an https URL, or http on localhost, 127.0.0.1 or [::1]';
  if (url.username !== '' || url.password !== '' || /[?#]/.test(uri)) {
    return 'must have no query, fragment or credentials';
  }
  if (url.hostname.includes('*')) return 'must name its host: a * is compared like any other character';
  return url.href === uri ? undefined : `must be in its normal form: ${url.href}`;
}

export function checkClient(
  client: { readonly clientId?: string | undefined; readonly clientSecret?: string | undefined },
  violations: Violations,
): void {
  checkVisible(client.clientId, 'client_id', limits.clientIdChars, violations);
  checkVisible(client.clientSecret, 'client_secret', limits.clientSecretChars, violations);
}

/** The value is a secret where it is one: it is never echoed. */
function checkVisible(value: string | undefined, field: string, maxChars: number, violations: Violations): void {
  if (value === undefined) return;
  if (value === '') violations.add(field, 'is required');
  else if (value.length > maxChars) violations.add(field, `must be at most ${maxChars} characters`);
  else if (!VISIBLE.test(value)) violations.add(field, 'must be visible ASCII characters');
}
