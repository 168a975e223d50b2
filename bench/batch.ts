import { create, toBinary } from '@bufbuild/protobuf';
import {
  AuthorizationService,
  type BatchAuthorizeRequest,
  BatchAuthorizeRequestSchema,
} from '../gen/sallyport/v1/authorization_pb.ts';
import { Effect } from '../gen/sallyport/v1/decision_pb.ts';
import { grpcClient } from '../test/support/grpc-client.ts';
import { cpuSeconds } from './cpu-time.ts';
import { seed } from './setup.ts';
import { startOn } from './start-on.ts';

// `node bench/batch.ts [calls]`: BatchAuthorize of 100 over gRPC, 8 calls in flight. Prints decisions per second of one core, from the CPU time
// of the whole service, the best of seven rounds.

const ITEMS = 100;
const IN_FLIGHT = 8;
const ROUNDS = 7;
const calls = Number(process.argv[2] ?? 1000);
const target = await startOn('');
await seed(target);
const client = grpcClient(AuthorizationService, target.grpc, { key: target.adminKey });
const principal = { identity: { case: 'subject', value: { type: 'user', id: 'bench' } } } as const;

/** One principal for all, or said with each item. */
function requestOf(isEach: boolean): BatchAuthorizeRequest {
  const items = Array.from({ length: ITEMS }, (_, at) => ({
    permission: 'documents:read',
    resource: { type: 'document', id: `${at}` },
    ...(isEach ? { principal } : {}),
  }));
  return create(BatchAuthorizeRequestSchema, isEach ? { items } : { items, principal });
}

async function lane(request: BatchAuthorizeRequest): Promise<void> {
  for (let at = 0; at < calls / IN_FLIGHT; at += 1) {
    const { decisions } = await client.batchAuthorize(request);
    if (decisions.length !== ITEMS || decisions.some(({ effect }) => effect !== Effect.ALLOW))
      throw new Error('not every item was allowed');
  }
}

for (const isEach of [false, true]) {
  const request = requestOf(isEach);
  const round = () => Promise.all(Array.from({ length: IN_FLIGHT }, () => lane(request)));
  await round();
  let best = Number.POSITIVE_INFINITY;
  for (let at = 0; at < ROUNDS; at += 1) {
    const from = cpuSeconds(target.pid) ?? 0;
    await round();
    best = Math.min(best, ((cpuSeconds(target.pid) ?? 0) - from) / (calls * ITEMS));
  }
  const name = isEach ? 'a principal with each item' : 'one principal';
  const bytes = toBinary(BatchAuthorizeRequestSchema, request).length;
  process.stdout.write(
    `BatchAuthorize of ${ITEMS}, ${name} (${bytes} bytes): ${(best * 1e6).toFixed(2)} us of CPU per decision, ${(1 / best).toFixed(0)} decisions per second of a core\n`,
  );
}
client.close();
await target.stop();
