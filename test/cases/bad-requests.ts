// Requests that are refused, as Connect JSON, with the fields that the answer names, in order.

export interface BadRequestCase {
  readonly method: string;
  readonly request: object;
  readonly fields: readonly string[];
}

const who = { principal: { subject: { type: 'user', id: '7' } } };
const grant = { subject: { type: 'user', id: '7' }, role: 'editor', effect: 'EFFECT_ALLOW' };
const put = (more: object): object => ({ changes: [{ putGrant: { ...grant, ...more } }] });
const provider = { clientId: 'c', clientSecret: 's', redirectUris: ['https://app.example/callback'] };
const password = { identifier: 'ada', password: 'p' };

export const badRequests: readonly BadRequestCase[] = [
  { method: 'AuthorizationService/ListPermissions', request: { pageSize: 1001 }, fields: ['principal', 'page_size'] },
  {
    method: 'AuthorizationService/ListResources',
    request: { ...who, permission: 'a:*', pageSize: -1 },
    fields: ['permission', 'resource_type', 'page_size'],
  },
  {
    method: 'AuthorizationService/ListSubjects',
    request: { permission: '', resource: { type: 'A', id: '' }, subjectType: '-' },
    fields: ['permission', 'resource.type', 'resource.id', 'subject_type'],
  },
  { method: 'ApiKeyService/UpdateApiKey', request: {}, fields: ['update_mask', 'key_id'] },
  {
    method: 'ApiKeyService/UpdateApiKey',
    request: { keyId: 'k', updateMask: 'displayName,test', scopes: ['a:*'], rateLimit: { callsPerMinute: 0 } },
    fields: ['rate_limit.calls_per_minute', 'update_mask', 'scopes', 'rate_limit'],
  },
  {
    method: 'ApiKeyService/CreateApiKey',
    request: { owner: { type: 'service', id: 'x' }, allowedNetworks: ['10.0.0.0/33'], rateLimit: { burst: -1 } },
    fields: ['allowed_networks[0]', 'rate_limit.calls_per_minute', 'rate_limit.burst'],
  },
  {
    method: 'ApiKeyService/CreateApiKey',
    request: { owner: { type: 'service', id: 'x' }, allowedNetworks: ['192.0.2.0/24', '::ffff:1.2.3.4/24'] },
    fields: ['allowed_networks[1]'],
  },
  { method: 'ApiKeyService/RotateApiKey', request: { overlap: '2592001s' }, fields: ['key_id', 'overlap'] },
  { method: 'ApiKeyService/ListApiKeys', request: { pageSize: 1001 }, fields: ['page_size'] },
  {
    method: 'SessionService/CreateSession',
    request: { cookie: { name: 'a b' } },
    fields: ['authentication_token', 'cookie.name'],
  },
  {
    method: 'TokenService/ExchangeToken',
    request: { options: { audience: ['a'], scopes: [' '] } },
    fields: ['subject_token', 'own_audience', 'options.scopes[0]'],
  },
  { method: 'SessionService/ListSessions', request: { pageSize: -1 }, fields: ['subject', 'page_size'] },
  { method: 'SessionService/VerifySession', request: {}, fields: ['http_method', 'session_token'] },
  {
    method: 'SessionService/VerifySession',
    request: { sessionToken: 'ss_', httpMethod: 'POST', allowedOrigins: ['https://a.example/', 'a.example'] },
    fields: ['allowed_origins[0]', 'allowed_origins[1]'],
  },
  {
    method: 'SessionService/VerifySession',
    request: { sessionToken: 'ss_', httpMethod: 'POST' },
    fields: ['allowed_origins'],
  },
  { method: 'AuthorizationService/Authorize', request: {}, fields: ['principal', 'permission'] },
  {
    method: 'AuthorizationService/Authorize',
    request: { ...who, permission: 'two words:read' },
    fields: ['permission'],
  },
  { method: 'AuthorizationService/Authorize', request: { ...who, permission: 'documents:*' }, fields: ['permission'] },
  {
    method: 'AuthorizationService/Authorize',
    request: {
      principal: { subject: { type: 'User', id: '' } },
      permission: 'a:b',
      resource: { type: '', id: 'a\u0000b' },
    },
    fields: ['principal.subject.type', 'principal.subject.id', 'resource.type', 'resource.id'],
  },
  {
    method: 'AuthorizationService/Authorize',
    request: { principal: { subject: { type: 'group', id: 'eng', relation: 'member' } }, permission: 'a:b' },
    fields: ['principal.subject.relation'],
  },
  {
    method: 'AuthorizationService/Authorize',
    request: { principal: { apiKey: '' }, permission: 'a:b' },
    fields: ['principal.api_key'],
  },
  { method: 'AuthorizationService/BatchAuthorize', request: who, fields: ['items'] },
  { method: 'AuthenticationService/Authenticate', request: {}, fields: ['credential'] },
  {
    method: 'AuthenticationService/Authenticate',
    request: { federated: {} },
    fields: ['federated.callback_parameters', 'federated.browser_binding'],
  },
  {
    method: 'AuthenticationService/BeginFederatedLogin',
    request: { client: { ip: 'x' } },
    fields: ['provider_id', 'redirect_uri', 'client.ip'],
  },
  {
    method: 'ProviderService/CreateProvider',
    request: {},
    fields: ['kind', 'client_id', 'client_secret', 'redirect_uris'],
  },
  ...[
    'http://login.example',
    'https://login.example/?a=b',
    'https://u:p@login.example',
    'https://github.com',
    'https://accounts.google.com',
    'https://login.exa\tmple',
    'https://login.microsoftonline.com/common/v2.0',
    'HTTPS://login.example',
    'login.example',
  ].map((issuer) => ({
    method: 'ProviderService/CreateProvider',
    request: { ...provider, oidc: { issuer } },
    fields: ['oidc.issuer'],
  })),
  ...['59s', '86401s', '-60s'].map((maxAuthenticationAge) => ({
    method: 'ProviderService/CreateProvider',
    request: { ...provider, oidc: { issuer: 'https://login.example', maxAuthenticationAge } },
    fields: ['oidc.max_authentication_age'],
  })),
  ...['', 'a b', 'é', 'x'.repeat(129)].map((acr) => ({
    method: 'ProviderService/CreateProvider',
    request: { ...provider, oidc: { issuer: 'https://login.example', acrValues: ['urn:acme:mfa', acr] } },
    fields: ['oidc.acr_values[1]'],
  })),
  ...['common', 'organizations', 'consumers', '', 'acme.onmicrosoft.com'].map((tenantId) => ({
    method: 'ProviderService/CreateProvider',
    request: { ...provider, microsoft: { tenantId } },
    fields: ['microsoft.tenant_id'],
  })),
  ...[
    'http://app.example/callback',
    'https://app.example',
    'https://app.example/callback?a=b',
    'https://app.example/callback#a',
    'https://APP.example/callback',
    'https://app.example/a/../callback',
    'myapp://callback',
    'https://*.app.example/callback',
    '',
  ].map((uri) => ({
    method: 'ProviderService/UpdateProvider',
    request: { providerId: 'p', redirectUris: { redirectUris: [uri] } },
    fields: ['redirect_uris.redirect_uris[0]'],
  })),
  {
    method: 'ProviderService/UpdateProvider',
    request: { clientId: '', clientSecret: 'a\u0000b', scopes: { scopes: ['a b'] } },
    fields: ['provider_id', 'client_id', 'client_secret', 'scopes.scopes[0]'],
  },
  { method: 'ProviderService/GetProvider', request: {}, fields: ['provider_id'] },
  { method: 'ProviderService/DeleteProvider', request: {}, fields: ['provider_id'] },
  { method: 'ProviderService/ListProviders', request: { pageSize: -1 }, fields: ['page_size'] },
  { method: 'UserService/RemoveFederatedLink', request: {}, fields: ['user_id', 'issuer', 'subject'] },
  {
    method: 'AuthenticationService/Authenticate',
    request: { password: {} },
    fields: ['password.identifier', 'password.password'],
  },
  {
    method: 'AuthenticationService/Authenticate',
    request: { password, client: { ip: '192.0.2.7:80' } },
    fields: ['client.ip'],
  },
  {
    method: 'AuthenticationService/Authenticate',
    request: { password, client: { ip: 'localhost' } },
    fields: ['client.ip'],
  },
  {
    method: 'AuthenticationService/Authenticate',
    request: { password, client: { ip: 'fe80::1%eth0' } },
    fields: ['client.ip'],
  },
  { method: 'AuthenticationService/Authenticate', request: { password, issue: {} }, fields: ['issue'] },
  {
    method: 'AuthenticationService/Authenticate',
    request: { password, issue: { tokens: {} } },
    fields: ['issue.tokens.audience'],
  },
  {
    method: 'AuthenticationService/Authenticate',
    request: { password, issue: { cookie: { name: 'a b' } } },
    fields: ['issue.cookie.name'],
  },
  { method: 'AuthenticationService/VerifyTotp', request: {}, fields: ['target', 'code'] },
  {
    method: 'AuthenticationService/VerifyTotp',
    request: { userId: '7', totpCode: '12345', issue: { tokens: { audience: ['a'] } } },
    fields: ['totp_code', 'issue'],
  },
  { method: 'AuthenticationService/EnrollTotp', request: {}, fields: ['target'] },
  {
    method: 'AuthenticationService/ConfirmTotp',
    request: { userId: '7', totpCode: '１２３４５６' },
    fields: ['totp_code'],
  },
  {
    method: 'AuthenticationService/ConfirmTotp',
    request: { userId: '7', totpCode: '123456', issue: { tokens: { audience: ['a'] } } },
    fields: ['issue'],
  },
  {
    method: 'AuthenticationService/ConfirmTotp',
    request: { challengeToken: 'ch_x', totpCode: '123456', issue: {} },
    fields: ['issue'],
  },
  { method: 'TokenService/IssueTokens', request: {}, fields: ['proof', 'options'] },
  {
    method: 'TokenService/IssueTokens',
    request: {
      subject: { type: 'group', id: 'eng' },
      options: { audience: ['a'], scopes: ['no scope'] },
      requestId: '7',
    },
    fields: ['subject.type', 'options.scopes[0]', 'request_id'],
  },
  { method: 'TokenService/RotateRefresh', request: { scopes: ['*bad'] }, fields: ['refresh_token', 'scopes[0]'] },
  { method: 'TokenService/VerifyToken', request: {}, fields: ['access_token'] },
  { method: 'TokenService/GetJwks', request: { tenant: 'A' }, fields: ['tenant'] },
  { method: 'SessionService/RevokeSessions', request: {}, fields: ['selector'] },
  {
    method: 'ApiKeyService/VerifyApiKey',
    request: { resource: { type: 'document', id: '42' } },
    fields: ['resource', 'api_key'],
  },
  { method: 'ApiKeyService/CreateApiKey', request: {}, fields: ['owner'] },
  {
    method: 'ApiKeyService/CreateApiKey',
    request: { owner: { type: 'group', id: 'eng' }, expireTime: '2001-01-01T00:00:00Z' },
    fields: ['owner.type', 'expire_time'],
  },
  { method: 'ApiKeyService/RevokeApiKey', request: {}, fields: ['key_id'] },
  { method: 'PolicyService/ApplyPolicy', request: {}, fields: ['policy'] },
  { method: 'PolicyService/WriteGrants', request: {}, fields: ['changes'] },
  { method: 'PolicyService/WriteGrants', request: { changes: [{}] }, fields: ['changes[0]'] },
  {
    method: 'PolicyService/WriteGrants',
    request: { changes: [{ putGrant: {} }] },
    fields: ['changes[0].put_grant.effect', 'changes[0].put_grant.subject', 'changes[0].put_grant'],
  },
  {
    method: 'AuthorizationService/Authorize',
    request: {
      principal: { subject: { type: 'user', id: '7' } },
      permission: 'documents:read',
      contextualGrants: [{ id: 'g', condition: 'true', role: 'viewer', effect: 'EFFECT_ALLOW' }],
    },
    fields: ['contextual_grants[0].id', 'contextual_grants[0].condition', 'contextual_grants[0].subject'],
  },
  {
    method: 'PolicyService/ApplyPolicy',
    request: { policy: {}, yaml: 'roles: {}', restoreVersion: -1 },
    fields: ['policy', 'restore_version'],
  },
  {
    method: 'PolicyService/WriteGrants',
    request: put({ expireTime: '2001-01-01T00:00:00Z' }),
    fields: ['changes[0].put_grant.expire_time'],
  },
  {
    method: 'PolicyService/WriteGrants',
    request: put({ resource: { type: 'document', id: '42', properties: { owner: '7' } } }),
    fields: ['changes[0].put_grant.resource.properties'],
  },
  {
    method: 'PolicyService/WriteGrants',
    request: { changes: [{ putParent: {} }, { deleteParent: {} }, { putAttributes: {} }, { deleteGrants: {} }] },
    fields: [
      'changes[0].put_parent.child',
      'changes[0].put_parent.parent',
      'changes[1].delete_parent.child',
      'changes[1].delete_parent.parent',
      'changes[2].put_attributes.subject',
      'changes[3].delete_grants',
    ],
  },
  {
    method: 'PolicyService/WriteGrants',
    request: { changes: [{ deleteGrantId: 'g1' }], preconditions: [{}, { mustNotMatch: {} }] },
    fields: ['preconditions[0]', 'preconditions[1].must_not_match'],
  },
  { method: 'PolicyService/ListGrants', request: { pageSize: -1 }, fields: ['page_size'] },
  { method: 'UserService/CreateUser', request: {}, fields: ['identifiers'] },
  {
    method: 'UserService/CreateUser',
    request: { identifiers: [{ value: '', verified: true }] },
    fields: ['identifiers[0].kind', 'identifiers[0].verified', 'identifiers[0].value'],
  },
  { method: 'UserService/GetUser', request: {}, fields: ['selector'] },
  { method: 'UserService/SetPassword', request: {}, fields: ['user_id', 'password'] },
];
