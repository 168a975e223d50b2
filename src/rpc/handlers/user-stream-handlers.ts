import { create } from '@bufbuild/protobuf';
import {
  type ExportUsersResponse,
  ExportUsersResponseSchema,
  type ImportUsersRequest,
  type ImportUsersResponse,
  ImportUsersResponseSchema,
  type UserService,
} from '../../../gen/sallyport/v1/user_pb.ts';
import type { CallContext } from '../../domain/call.ts';
import { DomainError } from '../../domain/errors.ts';
import type { IdentityUseCases } from '../../domain/identity/use-cases.ts';
import { pageTokenOf } from '../../domain/page-token.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { toUser } from '../convert/to-user.ts';
import type { Handlers } from '../method.ts';
import { parseImportedRow } from '../parse/parse-new-user.ts';
import { optionalText } from '../parse/parse-text.ts';

/** Rows of an import at once; their answers keep the order of the rows. */
const ROWS_AT_ONCE = 16;
const EXPORT_PAGE = 500;
const TOKEN_CHARS = 2048;

type Streams = Pick<Handlers<typeof UserService>, 'importUsers' | 'exportUsers'>;

export function userStreamHandlers(identity: Pick<IdentityUseCases, 'importUser' | 'listUsers'>): Streams {
  return {
    importUsers: (call, requests) => answers(requests, (request) => importRow(identity, call, request)),
    async *exportUsers(call, request): AsyncGenerator<ExportUsersResponse> {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      let token = optionalText(request.resumeToken, 'resume_token', TOKEN_CHARS, violations);
      violations.throwIfAny();
      do {
        const page = await identity.listUsers(call, tenant, { size: EXPORT_PAGE, token });
        for (const user of page.users) {
          const resumeToken = pageTokenOf(user.id, ['users', tenant]);
          yield create(ExportUsersResponseSchema, { user: toUser(user), resumeToken });
        }
        token = page.nextPageToken;
      } while (token !== '');
    },
  };
}

/**
 * Answers in the order of the rows, each as soon as it and those before it are known, with up to 16 under way: a caller that waits for
 * every answer before it sends the next row gets it.
 */
async function* answers<Q, A>(requests: AsyncIterable<Q>, work: (request: Q) => Promise<A>): AsyncGenerator<A> {
  const rows = requests[Symbol.asyncIterator]();
  const underWay: Promise<A>[] = [];
  let reading: Promise<IteratorResult<Q>> | undefined = rows.next();
  for (;;) {
    const [first] = underWay;
    if (first === undefined && reading === undefined) return;
    const isNext =
      first !== undefined &&
      (reading === undefined ||
        underWay.length >= ROWS_AT_ONCE ||
        (await Promise.race([first.then(() => true), reading.then(() => false)])));
    if (isNext) {
      underWay.shift();
      yield await first;
      continue;
    }
    const row: IteratorResult<Q> | undefined = await reading;
    if (row === undefined || row.done === true) {
      reading = undefined;
      continue;
    }
    const answer = work(row.value);
    // One that fails ends the stream when its turn comes; until then nobody waits for it.
    answer.catch(() => {});
    underWay.push(answer);
    reading = rows.next();
    reading.catch(() => {});
  }
}

/** What is wrong with a row is its answer; what is wrong with the store or the call ends the stream. */
async function importRow(
  identity: Pick<IdentityUseCases, 'importUser'>,
  call: CallContext,
  request: ImportUsersRequest,
): Promise<ImportUsersResponse> {
  const { rowKey } = request;
  try {
    const violations = new Violations();
    const tenant = parseTenantId(request.tenant, violations);
    const row = parseImportedRow(request, violations);
    violations.throwIfAny();
    const { userId, already } = await identity.importUser(call, tenant, row);
    const result = { case: 'userId', value: userId } as const;
    return create(ImportUsersResponseSchema, { rowKey, result, alreadyImported: already });
  } catch (error) {
    if (!(error instanceof DomainError) || error.reason === 'TENANT_NOT_FOUND') throw error;
    const { reason, message } = error;
    return create(ImportUsersResponseSchema, { rowKey, result: { case: 'error', value: { reason, message } } });
  }
}
