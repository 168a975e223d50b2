// Which built-in role may call which method of the contract, written out by hand: a change of a method's permission or of a role must
// be a change of this table too. '+' marks a request whose field needs a further permission.

export const builtInRoles = ['decider', 'application', 'voucher', 'manager', 'auditor', 'admin'] as const;

export type BuiltInRole = (typeof builtInRoles)[number];

export interface MethodRoles {
  /** Without the package: `TokenService/IssueTokens`. */
  readonly method: string;
  /** The generated form of the request, as far as it matters. */
  readonly request?: object;
  /** 'public': no caller is needed. */
  readonly roles: readonly BuiltInRole[] | 'public';
}

const issue = { issue: { kind: { case: 'tokens' } } };
const byUser = { target: { case: 'userId', value: '7' } };
const byProof = { target: { case: 'authenticationToken', value: 'at_' } };
const byChallenge = { target: { case: 'challengeToken', value: 'ch_' } };

export const methodRoles: readonly MethodRoles[] = [
  { method: 'AuthenticationService/Authenticate', roles: ['application', 'admin'] },
  { method: 'AuthenticationService/Authenticate', request: issue, roles: ['application', 'admin'] },
  { method: 'AuthenticationService/BeginFederatedLogin', roles: ['application', 'admin'] },
  { method: 'AuthenticationService/VerifyTotp', roles: ['application', 'admin'] },
  { method: 'AuthenticationService/VerifyTotp', request: issue, roles: ['application', 'admin'] },
  { method: 'AuthenticationService/EnrollTotp', request: byChallenge, roles: ['application', 'manager', 'admin'] },
  { method: 'AuthenticationService/EnrollTotp', request: byUser, roles: ['manager', 'admin'] },
  { method: 'AuthenticationService/ConfirmTotp', request: byChallenge, roles: ['application', 'manager', 'admin'] },
  { method: 'AuthenticationService/ConfirmTotp', request: byUser, roles: ['manager', 'admin'] },
  {
    method: 'AuthenticationService/ConfirmTotp',
    request: { ...byChallenge, ...issue },
    roles: ['application', 'admin'],
  },
  { method: 'AuthenticationService/CheckPassword', roles: ['application', 'admin'] },
  { method: 'AuthenticationService/ChangePassword', roles: ['application', 'admin'] },
  { method: 'AuthenticationService/RequestPasswordReset', roles: ['application', 'admin'] },
  { method: 'AuthenticationService/ResetPassword', roles: ['application', 'admin'] },
  { method: 'AuthenticationService/RequestVerification', roles: ['application', 'admin'] },
  { method: 'AuthenticationService/ConfirmVerification', roles: ['application', 'admin'] },
  { method: 'AuthenticationService/RemoveTotp', request: byProof, roles: ['application', 'manager', 'admin'] },
  { method: 'AuthenticationService/RemoveTotp', request: byUser, roles: ['manager', 'admin'] },
  {
    method: 'AuthenticationService/RegenerateRecoveryCodes',
    request: byProof,
    roles: ['application', 'manager', 'admin'],
  },
  { method: 'AuthenticationService/RegenerateRecoveryCodes', request: byUser, roles: ['manager', 'admin'] },
  { method: 'TokenService/IssueTokens', roles: ['application', 'voucher', 'admin'] },
  {
    method: 'TokenService/IssueTokens',
    request: { proof: { case: 'authenticationToken', value: 'at_' } },
    roles: ['application', 'voucher', 'admin'],
  },
  {
    method: 'TokenService/IssueTokens',
    request: { proof: { case: 'subject', value: { type: 'user', id: '7' } } },
    roles: ['voucher', 'admin'],
  },
  {
    method: 'TokenService/IssueTokens',
    request: { proof: { case: 'apiKey', value: 'sk_' } },
    roles: ['application', 'voucher', 'admin'],
  },
  { method: 'TokenService/ExchangeToken', roles: ['application', 'admin'] },
  { method: 'TokenService/RotateRefresh', roles: ['application', 'admin'] },
  { method: 'TokenService/VerifyToken', roles: ['decider', 'application', 'admin'] },
  { method: 'TokenService/GetJwks', roles: 'public' },
  { method: 'TokenService/ListSigningKeys', roles: ['manager', 'auditor', 'admin'] },
  { method: 'TokenService/RotateSigningKey', roles: ['manager', 'admin'] },
  { method: 'TokenService/RevokeSigningKey', roles: ['manager', 'admin'] },
  { method: 'TokenService/WatchRevocations', roles: ['decider', 'application', 'admin'] },
  { method: 'SessionService/CreateSession', roles: ['application', 'admin'] },
  { method: 'SessionService/VerifySession', roles: ['decider', 'application', 'admin'] },
  { method: 'SessionService/ListSessions', roles: ['application', 'manager', 'auditor', 'admin'] },
  { method: 'SessionService/RevokeSessions', roles: ['application', 'manager', 'admin'] },
  { method: 'ApiKeyService/VerifyApiKey', roles: ['decider', 'application', 'admin'] },
  { method: 'ApiKeyService/CreateApiKey', roles: ['manager', 'admin'] },
  { method: 'ApiKeyService/GetApiKey', roles: ['manager', 'auditor', 'admin'] },
  { method: 'ApiKeyService/ListApiKeys', roles: ['manager', 'auditor', 'admin'] },
  { method: 'ApiKeyService/UpdateApiKey', roles: ['manager', 'admin'] },
  { method: 'ApiKeyService/RotateApiKey', roles: ['manager', 'admin'] },
  { method: 'ApiKeyService/RevokeApiKey', roles: ['manager', 'admin'] },
  { method: 'AuthorizationService/Authorize', roles: ['decider', 'application', 'admin'] },
  { method: 'AuthorizationService/BatchAuthorize', roles: ['decider', 'application', 'admin'] },
  { method: 'AuthorizationService/ListPermissions', roles: ['decider', 'application', 'admin'] },
  { method: 'AuthorizationService/ListResources', roles: ['decider', 'application', 'admin'] },
  { method: 'AuthorizationService/ListSubjects', roles: ['decider', 'application', 'admin'] },
  { method: 'PolicyService/ApplyPolicy', roles: ['manager', 'admin'] },
  { method: 'PolicyService/GetPolicy', roles: ['manager', 'auditor', 'admin'] },
  { method: 'PolicyService/ListPolicyVersions', roles: ['manager', 'auditor', 'admin'] },
  { method: 'PolicyService/WriteGrants', roles: ['manager', 'admin'] },
  { method: 'PolicyService/ListGrants', roles: ['manager', 'auditor', 'admin'] },
  { method: 'PolicyService/WatchChanges', roles: ['manager', 'auditor', 'admin'] },
  { method: 'PolicyService/ImportGrants', roles: ['manager', 'admin'] },
  { method: 'PolicyService/ExportGrants', roles: ['manager', 'auditor', 'admin'] },
  { method: 'AuditService/ListEvents', roles: ['auditor', 'admin'] },
  { method: 'AuditService/WatchEvents', roles: ['auditor', 'admin'] },
  { method: 'UserService/CreateUser', roles: ['application', 'manager', 'admin'] },
  { method: 'UserService/GetUser', roles: ['manager', 'auditor', 'admin'] },
  { method: 'UserService/ListUsers', roles: ['manager', 'auditor', 'admin'] },
  { method: 'UserService/UpdateUser', roles: ['manager', 'admin'] },
  { method: 'UserService/DeleteUser', roles: ['manager', 'admin'] },
  { method: 'UserService/UnlockUser', roles: ['manager', 'admin'] },
  { method: 'UserService/ImportUsers', roles: ['manager', 'admin'] },
  { method: 'UserService/ExportUsers', roles: ['manager', 'admin'] },
  { method: 'UserService/SetPassword', roles: ['manager', 'admin'] },
  { method: 'UserService/RemoveFederatedLink', roles: ['manager', 'admin'] },
  { method: 'ProviderService/CreateProvider', roles: ['manager', 'admin'] },
  { method: 'ProviderService/GetProvider', roles: ['manager', 'auditor', 'admin'] },
  { method: 'ProviderService/ListProviders', roles: ['manager', 'auditor', 'admin'] },
  { method: 'ProviderService/UpdateProvider', roles: ['manager', 'admin'] },
  { method: 'ProviderService/DeleteProvider', roles: ['manager', 'admin'] },
  { method: 'TenantService/CreateTenant', roles: ['admin'] },
  { method: 'TenantService/GetTenant', roles: ['manager', 'auditor', 'admin'] },
  { method: 'TenantService/ListTenants', roles: ['admin'] },
  { method: 'TenantService/UpdateTenant', roles: ['manager', 'admin'] },
  { method: 'TenantService/UpdateTenant', request: { disabled: true }, roles: ['admin'] },
  { method: 'TenantService/DeleteTenant', roles: ['admin'] },
];
