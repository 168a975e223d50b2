import { Code, ConnectError } from '@connectrpc/connect';
import { type User, UserService } from '../../../gen/sallyport/v1/user_pb.ts';
import { CommandError } from './command-io.ts';
import type { ServiceConnection } from './service-connection.ts';

/** By id, or else by an identifier of any kind. An id looks like a user name, so it is tried first. */
export async function findUser({ client, tenant }: ServiceConnection, name: string): Promise<User> {
  const get = async (selector: { case: 'userId' | 'identifier'; value: string }): Promise<User> => {
    const { user } = await client(UserService).getUser({ tenant, selector });
    if (user === undefined) throw new CommandError('the service answered without the account', 5);
    return user;
  };
  if (!/^[A-Za-z0-9_-]{16,64}$/.test(name)) return get({ case: 'identifier', value: name });
  try {
    return await get({ case: 'userId', value: name });
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== Code.NotFound) throw error;
    return get({ case: 'identifier', value: name });
  }
}
