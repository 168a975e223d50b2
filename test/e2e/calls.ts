import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { PolicyService } from '../../gen/sallyport/v1/policy_pb.ts';
import { SessionService } from '../../gen/sallyport/v1/session_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { grpcClient } from '../support/grpc-client.ts';
import type { ServiceProcess } from '../support/service-process.ts';

export type Calls = ReturnType<typeof connectCalls>;

/** grpc-js clients of everything that the writers call; each call has ten seconds. */
export function connectCalls(service: Pick<ServiceProcess, 'grpc' | 'adminKey'>) {
  const options = { key: service.adminKey };
  const clients = {
    users: grpcClient(UserService, service.grpc, options),
    authentication: grpcClient(AuthenticationService, service.grpc, options),
    tokens: grpcClient(TokenService, service.grpc, options),
    sessions: grpcClient(SessionService, service.grpc, options),
    keys: grpcClient(ApiKeyService, service.grpc, options),
    policies: grpcClient(PolicyService, service.grpc, options),
    authorization: grpcClient(AuthorizationService, service.grpc, options),
  };
  return {
    ...clients,
    close: () => {
      for (const client of Object.values(clients)) client.close();
    },
  };
}
