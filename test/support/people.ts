import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { IdentifierKind, UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { grpcClient } from './grpc-client.ts';
import type { ServiceProcess } from './service-process.ts';

// Users of the started service, and logins of theirs.

export const PASSWORD = 'Correct-Horse-42-Battery';

/** Adds a user `<name>@example.com`; gives its id. */
export async function addPerson(service: ServiceProcess, name: string): Promise<string> {
  const users = grpcClient(UserService, service.grpc, { key: service.adminKey });
  const identifiers = [{ kind: IdentifierKind.EMAIL, value: `${name}@example.com` }];
  const { user } = await users.createUser({ identifiers, password: PASSWORD });
  users.close();
  if (user === undefined) throw new Error('no user in the answer');
  return user.id;
}

/** Logs the user in; gives the authentication token. */
export async function proofOf(service: ServiceProcess, name: string): Promise<string> {
  const logins = grpcClient(AuthenticationService, service.grpc, { key: service.adminKey });
  const identifier = `${name}@example.com`;
  const { outcome } = await logins.authenticate({
    credential: { case: 'password', value: { identifier, password: PASSWORD } },
  });
  logins.close();
  if (outcome.case !== 'authenticated') throw new Error(`not authenticated but ${outcome.case}`);
  return outcome.value.authenticationToken;
}
