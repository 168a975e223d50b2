import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { AuditService } from '../../gen/sallyport/v1/audit_pb.ts';
import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { ProviderService } from '../../gen/sallyport/v1/provider_pb.ts';
import { SessionService } from '../../gen/sallyport/v1/session_pb.ts';
import { TenantService } from '../../gen/sallyport/v1/tenant_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { UserService } from '../../gen/sallyport/v1/user_pb.ts';
import type { AuditUseCases } from '../domain/audit/use-cases.ts';
import type { DecisionUseCases } from '../domain/decision/use-cases.ts';
import type { FederationUseCases } from '../domain/federation/use-cases.ts';
import type { IdentityUseCases } from '../domain/identity/use-cases.ts';
import type { KeyUseCases } from '../domain/keys/use-cases.ts';
import type { SessionUseCases } from '../domain/session/use-cases.ts';
import type { TenantUseCases } from '../domain/tenant/use-cases.ts';
import type { Clock } from '../platform/clock.ts';
import { apiKeyHandlers } from './handlers/api-key-handlers.ts';
import { auditHandlers } from './handlers/audit-handlers.ts';
import { authenticationHandlers } from './handlers/authentication-handlers.ts';
import { authorizationHandlers } from './handlers/authorization-handlers.ts';
import { policyHandlers } from './handlers/policy-handlers.ts';
import { providerHandlers } from './handlers/provider-handlers.ts';
import { sessionHandlers } from './handlers/session-handlers.ts';
import { tenantHandlers } from './handlers/tenant-handlers.ts';
import { tokenHandlers } from './handlers/token-handlers.ts';
import { userHandlers } from './handlers/user-handlers.ts';
import { type ImplementedService, implement } from './method.ts';

export interface UseCases {
  readonly identity: IdentityUseCases;
  readonly federation: FederationUseCases;
  readonly sessions: SessionUseCases;
  readonly keys: KeyUseCases;
  readonly decisions: DecisionUseCases;
  readonly tenants: TenantUseCases;
  readonly audit: AuditUseCases;
}

/** Every service of the contract with its handlers. Give it to `rpcMethods`. */
export function sallyportServices(useCases: UseCases, clock: Clock): readonly ImplementedService[] {
  const { identity, federation, sessions, keys, decisions, tenants, audit } = useCases;
  return [
    implement(AuthenticationService, authenticationHandlers(identity, federation)),
    implement(TokenService, tokenHandlers(sessions, keys)),
    implement(SessionService, sessionHandlers(sessions)),
    implement(ApiKeyService, apiKeyHandlers(keys, clock)),
    implement(AuthorizationService, authorizationHandlers(decisions, clock)),
    implement(PolicyService, policyHandlers(decisions, clock)),
    implement(UserService, userHandlers(identity)),
    implement(ProviderService, providerHandlers(federation)),
    implement(TenantService, tenantHandlers(tenants)),
    implement(AuditService, auditHandlers(audit)),
  ];
}
