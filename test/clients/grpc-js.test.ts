import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startService } from '../support/service-process.ts';
import { expectedAnswers, prepareSixCalls } from '../support/six-calls.ts';
import { sixCallsByGrpc } from './six-calls-by-grpc.ts';

test('grpc-js makes all six calls', async (t) => {
  const service = await startService();
  t.after(() => service.stop());
  const answers = await sixCallsByGrpc(service, await prepareSixCalls(service, 'grpc-js'));
  assert.deepEqual(answers, expectedAnswers);
});
