import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Health, HealthCheckResponse_ServingStatus } from '../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection, type ServerReflectionRequest } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionV1Alpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { connectCalls } from './calls.ts';

// What the three ports of a started service offer to those who hold no key.

let service: ServiceProcess;
before(async () => {
  service = await startService();
});
after(() => service.stop());

async function reflect(
  version: typeof ServerReflection | typeof ServerReflectionV1Alpha,
  messageRequest: ServerReflectionRequest['messageRequest'],
) {
  const client = createClient(version, createGrpcTransport({ baseUrl: `http://${service.grpc}` }));
  async function* requests() {
    yield { messageRequest };
  }
  for await (const answer of client.serverReflectionInfo(requests())) return answer.messageResponse;
  return assert.fail('no answer');
}

test('reflection in both versions lists every service and serves its file with comments', async () => {
  for (const version of [ServerReflection, ServerReflectionV1Alpha]) {
    const listed = await reflect(version, { case: 'listServices', value: '' });
    assert.ok(listed.case === 'listServicesResponse');
    const names = listed.value.service.map(({ name }) => name);
    for (const name of ['Authentication', 'Authorization', 'Token', 'ApiKey', 'User', 'Policy', 'Session']) {
      assert.ok(names.includes(`sallyport.v1.${name}Service`), name);
    }
    const symbol = 'sallyport.v1.AuthorizationService';
    const described = await reflect(version, { case: 'fileContainingSymbol', value: symbol });
    assert.ok(described.case === 'fileDescriptorResponse');
    const [bytes] = described.value.fileDescriptorProto;
    const file = fromBinary(FileDescriptorProtoSchema, bytes ?? assert.fail('no file'));
    assert.ok(file.sourceCodeInfo?.location.some(({ leadingComments }) => leadingComments !== ''));
  }
});

test('health says SERVING for the whole and for each service, and knows no others', async () => {
  const health = grpcClient(Health, service.grpc);
  for (const name of ['', 'sallyport.v1.AuthorizationService', 'sallyport.v1.TokenService']) {
    assert.equal((await health.check({ service: name })).status, HealthCheckResponse_ServingStatus.SERVING, name);
  }
  await assert.rejects(health.check({ service: 'nobody.v1.Nothing' }), { code: 5 });
  health.close();
});

test('the ops port answers probes and counts calls, without their secrets', async () => {
  const calls = connectCalls(service);
  await calls.tokens.getJwks({});
  await assert.rejects(calls.keys.verifyApiKey({ apiKey: 'sk_live_x' }, { key: service.adminKey.slice(0, -1) }));
  calls.close();
  const get = async (path: string) => await fetch(`http://${service.ops}${path}`);
  assert.equal((await get('/livez')).status, 200);
  assert.deepEqual(await (await get('/readyz')).json(), { ready: true, reasons: [] });
  const metrics = await (await get('/metrics')).text();
  assert.match(metrics, /^\S+\{[^}]*GetJwks[^}]*OK[^}]*\} 1$/m);
  assert.match(metrics, /^\S+\{[^}]*VerifyApiKey[^}]*UNAUTHENTICATED[^}]*\} 1$/m);
  assert.ok(!metrics.includes(service.adminKey.slice(0, 12)));
  assert.equal((await get('/nothing')).status, 404);
});

test('public keys are served over HTTP, and nothing else without a key', async () => {
  const get = async (path: string) => await fetch(`http://${service.http}${path}`);
  const { keys } = (await (await get('/.well-known/jwks.json')).json()) as { keys: Record<string, unknown>[] };
  assert.equal(keys[0]?.['alg'], 'ES256');
  assert.equal(keys[0]['d'], undefined, 'the private part is shown');
  assert.equal((await get('/metrics')).status, 404);
});
