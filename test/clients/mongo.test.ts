import assert from 'node:assert/strict';
import { withMongo } from '../support/mongo-service.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { expectedAnswers, prepareSixCalls } from '../support/six-calls.ts';
import { grpcurlBinary, grpcurlCall } from './grpcurl.ts';
import { sixCallsByGrpc } from './six-calls-by-grpc.ts';
import { sixCallsByJson } from './six-calls-by-json.ts';
import { needs } from './tool.ts';

await withMongo('the six calls on MongoDB', (withPlace) => {
  withPlace('grpc-js makes all six calls to a service on MongoDB', async (t, place) => {
    const service = await started(place.settings());
    t.after(() => service.stop());
    const answers = await sixCallsByGrpc(service, await prepareSixCalls(service, 'grpc-js'));
    assert.deepEqual(answers, expectedAnswers);
  });

  withPlace('grpcurl makes all six calls to a service on MongoDB', async (t, place) => {
    if (!(await needs(t, 'go', ['version']))) return;
    const service = await started(place.settings());
    t.after(() => service.stop());
    // First: to build it may take longer than the one-time code is good for.
    await grpcurlBinary();
    const answers = await sixCallsByJson(grpcurlCall(service), await prepareSixCalls(service, 'grpcurl'));
    assert.deepEqual(answers, expectedAnswers);
  });
});

async function started(env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const service = await startService({ env });
  assert.match(service.output(), /MongoDB, database sallyport-test-/);
  return service;
}
