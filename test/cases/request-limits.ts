import { limits } from '../../src/domain/limits.ts';

// Requests at each limit and one past it, as Connect JSON. A limit that is reached is accepted; past it, `field` is named. Longer than other
// files on purpose: it is one table, a row for each limit, whose rows test/cases/limits.ts names.

export interface LimitCase {
  readonly name: string;
  /** Without the package. */
  readonly method: string;
  readonly at: object;
  readonly past: object;
  readonly field: string;
}

const text = (length: number): string => 'x'.repeat(length);
const times = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const user = (id = '7'): object => ({ subject: { type: 'user', id } });
const ask = (more: object): object => ({ principal: user(), permission: 'a:b', ...more });
const nested = (depth: number): object => (depth === 1 ? { leaf: true } : { deeper: nested(depth - 1) });
/** `{"pad":"xxx"}` of exactly that many bytes. */
const padded = (bytes: number): object => ({ pad: text(bytes - '{"pad":""}'.length) });
const tokens = (more: object): object => ({ authenticationToken: 'at_x', options: { audience: ['a'], ...more } });
const newUser = (more: object): object => ({
  identifiers: [{ kind: 'IDENTIFIER_KIND_USERNAME', value: 'ada' }],
  ...more,
});
const grant = (more: object): object => ({
  subject: { type: 'user', id: '7' },
  role: 'editor',
  effect: 'EFFECT_ALLOW',
  ...more,
});
const login = (more: object): object => ({ password: { identifier: 'ada', password: 'p' }, ...more });
const newProvider = (more: object): object => ({
  google: 'oidc' in more ? undefined : {},
  clientId: 'c',
  clientSecret: 's',
  redirectUris: ['https://app.example/callback'],
  ...more,
});
const callback = (callbackParameters: object): object => ({
  federated: { callbackParameters, browserBinding: 'fb_x' },
});
const newKey = (more: object): object => ({ owner: { type: 'service', id: 'jobs' }, ...more });
const newTenant = (allowedAudiences: readonly string[]): object => ({ tenant: 'many', settings: { allowedAudiences } });
const cookieUse = (allowedOrigins: readonly string[]): object => ({
  sessionToken: 'ss_x',
  httpMethod: 'POST',
  origin: 'https://a0.example',
  allowedOrigins,
});
/** A rule whose condition has exactly that many bytes. */
const conditional = (bytes: number): object => ({
  dryRun: true,
  policy: {
    rules: [{ name: 'r', effect: 'EFFECT_DENY', permissions: ['a:b'], condition: `context.x // ${text(bytes - 13)}` }],
  },
});
const attributed = (bytes: number): object => ({
  changes: [{ putAttributes: { subject: { type: 'user', id: '7' }, attributes: padded(bytes) } }],
});
const segments = (count: number): string => times(count, () => 'a').join(':');

export const limitCases: readonly LimitCase[] = [
  {
    name: 'permission characters',
    method: 'AuthorizationService/Authorize',
    at: ask({ permission: `a:${text(limits.permissionChars - 2)}` }),
    past: ask({ permission: `a:${text(limits.permissionChars - 1)}` }),
    field: 'permission',
  },
  {
    name: 'permission segments',
    method: 'AuthorizationService/Authorize',
    at: ask({ permission: segments(limits.permissionSegments) }),
    past: ask({ permission: segments(limits.permissionSegments + 1) }),
    field: 'permission',
  },
  {
    name: 'subject id',
    method: 'AuthorizationService/Authorize',
    at: ask({ principal: user(text(limits.identifierChars)) }),
    past: ask({ principal: user(text(limits.identifierChars + 1)) }),
    field: 'principal.subject.id',
  },
  {
    name: 'resource id',
    method: 'AuthorizationService/Authorize',
    at: ask({ resource: { type: 'document', id: text(limits.identifierChars) } }),
    past: ask({ resource: { type: 'document', id: text(limits.identifierChars + 1) } }),
    field: 'resource.id',
  },
  {
    name: 'context bytes',
    method: 'AuthorizationService/Authorize',
    at: ask({ context: padded(limits.contextBytes) }),
    past: ask({ context: padded(limits.contextBytes + 1) }),
    field: 'context',
  },
  {
    name: 'context depth',
    method: 'AuthorizationService/Authorize',
    at: ask({ context: nested(limits.contextDepth) }),
    past: ask({ context: nested(limits.contextDepth + 1) }),
    field: 'context',
  },
  {
    name: 'subject properties',
    method: 'AuthorizationService/Authorize',
    at: ask({ principal: { ...user(), properties: padded(limits.contextBytes) } }),
    past: ask({ principal: { ...user(), properties: padded(limits.contextBytes + 1) } }),
    field: 'principal.properties',
  },
  {
    name: 'resource properties',
    method: 'AuthorizationService/Authorize',
    at: ask({ resource: { type: 'document', id: '1', properties: padded(limits.contextBytes) } }),
    past: ask({ resource: { type: 'document', id: '1', properties: padded(limits.contextBytes + 1) } }),
    field: 'resource.properties',
  },
  {
    name: 'batch items',
    method: 'AuthorizationService/BatchAuthorize',
    at: { principal: user(), items: times(limits.batchItems, () => ({ permission: 'a:b' })) },
    past: { principal: user(), items: times(limits.batchItems + 1, () => ({ permission: 'a:b' })) },
    field: 'items',
  },
  {
    name: 'login identifier',
    method: 'AuthenticationService/Authenticate',
    at: { password: { identifier: text(limits.identifierChars), password: 'p' } },
    past: { password: { identifier: text(limits.identifierChars + 1), password: 'p' } },
    field: 'password.identifier',
  },
  {
    name: 'password bytes, counted in UTF-8',
    method: 'AuthenticationService/Authenticate',
    at: { password: { identifier: 'ada', password: 'é'.repeat(limits.passwordBytes / 2) } },
    past: { password: { identifier: 'ada', password: `é${'é'.repeat(limits.passwordBytes / 2)}` } },
    field: 'password.password',
  },
  {
    name: 'user agent',
    method: 'AuthenticationService/Authenticate',
    at: { password: { identifier: 'ada', password: 'p' }, client: { userAgent: text(limits.userAgentChars) } },
    past: { password: { identifier: 'ada', password: 'p' }, client: { userAgent: text(limits.userAgentChars + 1) } },
    field: 'client.user_agent',
  },
  {
    name: 'device id',
    method: 'TokenService/RotateRefresh',
    at: { refreshToken: 'rt_x', client: { deviceId: text(limits.deviceIdChars) } },
    past: { refreshToken: 'rt_x', client: { deviceId: text(limits.deviceIdChars + 1) } },
    field: 'client.device_id',
  },
  {
    name: 'audiences',
    method: 'TokenService/IssueTokens',
    at: tokens({ audience: times(limits.audiences, (i) => `a${i}`) }),
    past: tokens({ audience: times(limits.audiences + 1, (i) => `a${i}`) }),
    field: 'options.audience',
  },
  {
    name: 'audience characters',
    method: 'TokenService/IssueTokens',
    at: tokens({ audience: [text(limits.audienceChars)] }),
    past: tokens({ audience: ['a', text(limits.audienceChars + 1)] }),
    field: 'options.audience[1]',
  },
  {
    name: 'scopes',
    method: 'TokenService/IssueTokens',
    at: tokens({ scopes: times(limits.scopes, () => 'a:b') }),
    past: tokens({ scopes: times(limits.scopes + 1, () => 'a:b') }),
    field: 'options.scopes',
  },
  {
    name: 'claims',
    method: 'TokenService/IssueTokens',
    at: tokens({ claims: padded(limits.claimsBytes) }),
    past: tokens({ claims: padded(limits.claimsBytes + 1) }),
    field: 'options.claims',
  },
  {
    name: 'identifiers of a user',
    method: 'UserService/CreateUser',
    at: {
      identifiers: times(limits.identifiersPerUser, (i) => ({ kind: 'IDENTIFIER_KIND_USERNAME', value: `ada${i}` })),
    },
    past: {
      identifiers: times(limits.identifiersPerUser + 1, (i) => ({
        kind: 'IDENTIFIER_KIND_USERNAME',
        value: `ada${i}`,
      })),
    },
    field: 'identifiers',
  },
  {
    name: 'identifier characters',
    method: 'UserService/CreateUser',
    at: { identifiers: [{ kind: 'IDENTIFIER_KIND_USERNAME', value: text(limits.identifierChars) }] },
    past: { identifiers: [{ kind: 'IDENTIFIER_KIND_USERNAME', value: text(10_000) }] },
    field: 'identifiers[0].value',
  },
  {
    name: 'display name',
    method: 'UserService/CreateUser',
    at: newUser({ displayName: text(limits.displayNameChars) }),
    past: newUser({ displayName: text(limits.displayNameChars + 1) }),
    field: 'display_name',
  },
  {
    name: 'user metadata',
    method: 'UserService/CreateUser',
    at: newUser({ metadata: padded(limits.attributesBytes) }),
    past: newUser({ metadata: padded(limits.attributesBytes + 1) }),
    field: 'metadata',
  },
  {
    name: 'changes of a write',
    method: 'PolicyService/WriteGrants',
    at: { changes: times(limits.changesPerWrite, () => ({ putGrant: grant({}) })) },
    past: { changes: times(limits.changesPerWrite + 1, () => ({ putGrant: grant({}) })) },
    field: 'changes',
  },
  {
    name: 'preconditions of a write',
    method: 'PolicyService/WriteGrants',
    at: {
      changes: [{ putGrant: grant({}) }],
      preconditions: times(limits.preconditionsPerWrite, () => ({ mustMatch: { role: 'editor' } })),
    },
    past: {
      changes: [{ putGrant: grant({}) }],
      preconditions: times(limits.preconditionsPerWrite + 1, () => ({ mustMatch: { role: 'editor' } })),
    },
    field: 'preconditions',
  },
  {
    name: 'page size',
    method: 'PolicyService/ListGrants',
    at: { pageSize: limits.pageSize },
    past: { pageSize: limits.pageSize + 1 },
    field: 'page_size',
  },
  {
    name: 'cookie name',
    method: 'AuthenticationService/Authenticate',
    at: login({ issue: { cookie: { name: text(limits.cookieNameChars) } } }),
    past: login({ issue: { cookie: { name: text(limits.cookieNameChars + 1) } } }),
    field: 'issue.cookie.name',
  },
  {
    name: 'allowed origins',
    method: 'SessionService/VerifySession',
    at: cookieUse(times(limits.allowedOrigins, (i) => `https://a${i}.example`)),
    past: cookieUse(times(limits.allowedOrigins + 1, (i) => `https://a${i}.example`)),
    field: 'allowed_origins',
  },
  {
    name: 'allowed networks',
    method: 'ApiKeyService/CreateApiKey',
    at: newKey({ allowedNetworks: times(limits.allowedNetworks, (i) => `10.0.${i}.0/24`) }),
    past: newKey({ allowedNetworks: times(limits.allowedNetworks + 1, (i) => `10.0.${i}.0/24`) }),
    field: 'allowed_networks',
  },
  {
    name: 'allowed audiences of a key',
    method: 'ApiKeyService/CreateApiKey',
    at: newKey({ allowedAudiences: times(limits.allowedAudiences, (i) => `a${i}`) }),
    past: newKey({ allowedAudiences: times(limits.allowedAudiences + 1, (i) => `a${i}`) }),
    field: 'allowed_audiences',
  },
  {
    name: 'allowed audiences of a tenant',
    method: 'TenantService/CreateTenant',
    at: newTenant(times(limits.allowedAudiences, (i) => `a${i}`)),
    past: newTenant(times(limits.allowedAudiences + 1, (i) => `a${i}`)),
    field: 'settings.allowed_audiences',
  },
  {
    name: 'calls of a key per minute',
    method: 'ApiKeyService/CreateApiKey',
    at: newKey({ rateLimit: { callsPerMinute: limits.keyCallsPerMinute } }),
    past: newKey({ rateLimit: { callsPerMinute: limits.keyCallsPerMinute + 1 } }),
    field: 'rate_limit.calls_per_minute',
  },
  {
    name: 'burst of a key',
    method: 'ApiKeyService/CreateApiKey',
    at: newKey({ rateLimit: { callsPerMinute: 1, burst: limits.keyBurst } }),
    past: newKey({ rateLimit: { callsPerMinute: 1, burst: limits.keyBurst + 1 } }),
    field: 'rate_limit.burst',
  },
  {
    name: 'comment of a policy',
    method: 'PolicyService/ApplyPolicy',
    at: { policy: { roles: [] }, comment: text(limits.commentChars) },
    past: { policy: { roles: [] }, comment: text(limits.commentChars + 1) },
    field: 'comment',
  },
  {
    name: 'condition bytes',
    method: 'PolicyService/ApplyPolicy',
    at: conditional(limits.conditionBytes),
    past: conditional(limits.conditionBytes + 1),
    field: 'policy.rules[0].condition',
  },
  {
    name: 'stored attributes',
    method: 'PolicyService/WriteGrants',
    at: attributed(limits.attributesBytes),
    past: attributed(limits.attributesBytes + 1),
    field: 'changes[0].put_attributes.attributes',
  },
  {
    name: 'contextual grants',
    method: 'AuthorizationService/Authorize',
    at: ask({ contextualGrants: times(limits.contextualGrants, () => grant({})) }),
    past: ask({ contextualGrants: times(limits.contextualGrants + 1, () => grant({})) }),
    field: 'contextual_grants',
  },
  {
    name: 'redirect URIs of a provider',
    method: 'ProviderService/CreateProvider',
    at: newProvider({ redirectUris: times(limits.redirectUris, (i) => `https://a${i}.example/`) }),
    past: newProvider({ redirectUris: times(limits.redirectUris + 1, (i) => `https://a${i}.example/`) }),
    field: 'redirect_uris',
  },
  {
    name: 'redirect URI characters',
    method: 'AuthenticationService/BeginFederatedLogin',
    at: { providerId: 'p', redirectUri: text(limits.redirectUriChars) },
    past: { providerId: 'p', redirectUri: text(limits.redirectUriChars + 1) },
    field: 'redirect_uri',
  },
  {
    name: 'scopes of a provider',
    method: 'ProviderService/CreateProvider',
    at: newProvider({ scopes: times(limits.providerScopes, (i) => `s${i}`) }),
    past: newProvider({ scopes: times(limits.providerScopes + 1, (i) => `s${i}`) }),
    field: 'scopes',
  },
  {
    name: 'acr values of a provider',
    method: 'ProviderService/CreateProvider',
    at: newProvider({ oidc: { issuer: 'https://a.example', acrValues: times(limits.acrValues, (i) => `a${i}`) } }),
    past: newProvider({
      oidc: { issuer: 'https://a.example', acrValues: times(limits.acrValues + 1, (i) => `a${i}`) },
    }),
    field: 'oidc.acr_values',
  },
  {
    name: 'issuer characters',
    method: 'ProviderService/CreateProvider',
    at: newProvider({ oidc: { issuer: `https://a.example/${text(limits.issuerChars - 18)}` } }),
    past: newProvider({ oidc: { issuer: `https://a.example/${text(limits.issuerChars - 17)}` } }),
    field: 'oidc.issuer',
  },
  {
    name: 'client id characters',
    method: 'ProviderService/CreateProvider',
    at: newProvider({ clientId: text(limits.clientIdChars) }),
    past: newProvider({ clientId: text(limits.clientIdChars + 1) }),
    field: 'client_id',
  },
  {
    name: 'client secret characters',
    method: 'ProviderService/CreateProvider',
    at: newProvider({ clientSecret: text(limits.clientSecretChars) }),
    past: newProvider({ clientSecret: text(limits.clientSecretChars + 1) }),
    field: 'client_secret',
  },
  {
    name: 'callback parameters',
    method: 'AuthenticationService/Authenticate',
    at: callback(Object.fromEntries(times(limits.callbackParameters, (i) => [`p${i}`, 'x']))),
    past: callback(Object.fromEntries(times(limits.callbackParameters + 1, (i) => [`p${i}`, 'x']))),
    field: 'federated.callback_parameters',
  },
  {
    name: 'callback parameter characters',
    method: 'AuthenticationService/Authenticate',
    at: callback({ code: text(limits.callbackParameterChars) }),
    past: callback({ code: text(limits.callbackParameterChars + 1) }),
    field: 'federated.callback_parameters',
  },
];
