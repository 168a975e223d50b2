import assert from 'node:assert/strict';
import { hash as bcrypt } from 'bcrypt';
import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { IdentifierKind, type ImportUsersResponse, UserService } from '../../gen/sallyport/v1/user_pb.ts';
import { onEachStore } from '../support/both-stores.ts';
import { grpcClient } from '../support/grpc-client.ts';

const PASSWORD = 'Correct-Horse-42-Battery';

await onEachStore({
  'accounts are imported row by row with their hashes, resumed, and exported again': async ({
    services,
    adminKey: key,
  }) => {
    const users = grpcClient(UserService, services[0].grpc, { key });
    const authentication = grpcClient(AuthenticationService, services.at(-1)?.grpc ?? '', { key });
    const passwordHash = await bcrypt(PASSWORD, 4);
    const row = (number: number) => ({
      rowKey: `row-${number}`,
      identifiers: [{ kind: IdentifierKind.EMAIL, value: `user${number}@example.com`, verified: true }],
      passwordHash: number === 3 ? '$1$broken' : passwordHash,
    });
    const send = async (numbers: readonly number[]) => {
      const answers: ImportUsersResponse[] = [];
      for await (const answer of users.importUsers(numbers.map(row))) answers.push(answer);
      return answers;
    };
    const first = await send(Array.from({ length: 40 }, (_, at) => at));
    assert.deepEqual(
      first.map(({ rowKey }) => rowKey),
      Array.from({ length: 40 }, (_, at) => `row-${at}`),
    );
    const failed = first.filter(({ result }) => result.case === 'error');
    assert.equal(failed.length, 1);
    assert.equal(failed[0]?.result.case === 'error' && failed[0].result.value.reason, 'INVALID_ARGUMENT');
    const resumed = await send([38, 39, 40]);
    assert.deepEqual(
      resumed.map(({ alreadyImported }) => alreadyImported),
      [true, true, false],
    );
    const { outcome } = await authentication.authenticate({
      credential: { case: 'password', value: { identifier: 'user7@example.com', password: PASSWORD } },
    });
    assert.equal(outcome.case, 'authenticated');

    const exported: string[] = [];
    let resumeToken = '';
    for await (const answer of users.exportUsers({})) {
      exported.push(answer.user?.identifiers[0]?.value ?? '');
      resumeToken = exported.length === 10 ? answer.resumeToken : resumeToken;
    }
    assert.equal(new Set(exported).size, 40);
    const rest: string[] = [];
    for await (const answer of users.exportUsers({ resumeToken })) rest.push(answer.user?.identifiers[0]?.value ?? '');
    assert.deepEqual(rest, exported.slice(10));
    users.close();
    authentication.close();
  },
  'a caller that waits for each answer before it sends the next row gets it': async ({ services, adminKey: key }) => {
    const users = grpcClient(UserService, services[0].grpc, { key });
    let answered = (): void => {};
    async function* rows() {
      for (const name of ['a', 'b', 'c']) {
        const wait = new Promise<void>((resolve) => {
          answered = resolve;
        });
        yield { rowKey: name, identifiers: [{ kind: IdentifierKind.USERNAME, value: name }] };
        await wait;
      }
    }
    const names: string[] = [];
    for await (const answer of users.importUsers(rows())) {
      names.push(answer.rowKey);
      answered();
    }
    assert.deepEqual(names, ['a', 'b', 'c']);
    users.close();
  },
});
