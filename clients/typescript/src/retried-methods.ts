// Which calls are repeated when a replica could not be reached (docs/clients.md, "Deadlines, retries, keepalive"): those that change
// nothing, those whose repetition gives the same answer, and those with a request_id, which the client fills in. Not repeated are calls
// that count as another attempt (Authenticate, codes), use something up, or whose answer a repetition cannot give (CreateApiKey).

/** By service, the methods without their package. */
export const retriedMethods: Readonly<Record<string, readonly string[]>> = {
  ApiKeyService: ['VerifyApiKey', 'GetApiKey', 'ListApiKeys', 'RevokeApiKey'],
  AuditService: ['ListEvents'],
  AuthenticationService: ['CheckPassword'],
  AuthorizationService: ['Authorize', 'BatchAuthorize', 'ListPermissions', 'ListResources', 'ListSubjects'],
  PolicyService: ['GetPolicy', 'ListPolicyVersions', 'ListGrants', 'WriteGrants'],
  ProviderService: ['GetProvider', 'ListProviders'],
  SessionService: ['CreateSession', 'VerifySession', 'ListSessions', 'RevokeSessions'],
  TenantService: ['GetTenant', 'ListTenants'],
  TokenService: ['IssueTokens', 'RotateRefresh', 'VerifyToken', 'GetJwks', 'ListSigningKeys', 'RevokeSigningKey'],
  UserService: ['CreateUser', 'GetUser', 'ListUsers'],
};

/** The gRPC service config (https://github.com/grpc/grpc/blob/master/doc/service_config.md) with the retries and the balancing. */
export function serviceConfig(): string {
  const name = Object.entries(retriedMethods).flatMap(([service, methods]) =>
    methods.map((method) => ({ service: `sallyport.v1.${service}`, method })),
  );
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: '0.05s',
    maxBackoff: '1s',
    backoffMultiplier: 4,
    // RESOURCE_EXHAUSTED has its own time to wait; DEADLINE_EXCEEDED leaves no time.
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  return JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }], methodConfig: [{ name, retryPolicy }] });
}

/** Whether calls of the method may be repeated, and so should carry a request_id where they can. */
export function isRetried(service: string, method: string): boolean {
  return retriedMethods[service]?.includes(method) ?? false;
}
