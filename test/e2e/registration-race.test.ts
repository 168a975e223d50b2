import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { IdentifierKind, UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { onEachStore } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';

// Issue 5, races: 10,000 registrations of one address, over two processes on one MongoDB.

/** On the embedded store there is one process, so fewer tell as much. */
const REGISTRATIONS = { sqlite: 1_000, mongodb: 10_000 } as const;
const AT_ONCE = 128;

await onEachStore(
  {
    'however many register one address at once, exactly one account is made': async ({
      place,
      services,
      adminKey: key,
    }) => {
      const registrations = REGISTRATIONS[place.kind];
      const clients = services.map((service) => grpcClient(UserService, service.grpc, { key }));
      const outcomes = new Map<string, number>();
      let sent = 0;
      const register = async (): Promise<void> => {
        while (sent < registrations) {
          const number = sent;
          sent += 1;
          const value = number % 2 === 0 ? 'ada@example.com' : 'ADA@Example.COM';
          const outcome = await clients[number % clients.length]
            ?.createUser(
              {
                identifiers: [{ kind: IdentifierKind.EMAIL, value }],
                password: 'Correct-Horse-42-Battery',
              },
              { deadlineMs: 60_000 },
            )
            .then(
              () => 'made',
              (error: { code: number }) => status[error.code] ?? 'unknown',
            );
          outcomes.set(outcome ?? '', (outcomes.get(outcome ?? '') ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, register));
      assert.deepEqual(Object.fromEntries(outcomes), { made: 1, ALREADY_EXISTS: registrations - 1 });
      const { users } = (await clients[0]?.listUsers({})) ?? { users: [] };
      assert.equal(users.length, 1);
      for (const client of clients) client.close();
    },
  },
  { SALLYPORT_HASH_QUEUE: '1000', SALLYPORT_RATE_PER_CALLER: '1000000' },
);
