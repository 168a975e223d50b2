import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials } from '@grpc/grpc-js';
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../gen/grpc/health/v1/health_pb.ts';
import { ServerReflection as ReflectionV1 } from '../../gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ReflectionV1Alpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { pathOf } from '../../src/rpc/method.ts';
import { contractElements } from '../support/contract.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { startRpcHarness } from '../support/rpc-harness.ts';

const encode =
  <D extends DescMessage>(desc: D) =>
  (message: MessageShape<D>): Buffer =>
    Buffer.from(toBinary(desc, message));
const decode =
  <D extends DescMessage>(desc: D) =>
  (bytes: Buffer): MessageShape<D> =>
    fromBinary(desc, bytes);

test('health tells each service and the server, without a credential', async (t) => {
  const harness = await startRpcHarness(t);
  const client = grpcClient(HealthService, harness.grpc);
  t.after(client.close);
  assert.equal((await client.check({})).status, Serving.NOT_SERVING);
  harness.health.setAll(true);
  harness.health.set('sallyport.v1.UserService', false);
  assert.equal((await client.check({})).status, Serving.SERVING);
  assert.equal((await client.check({ service: 'sallyport.v1.UserService' })).status, Serving.NOT_SERVING);
  await assert.rejects(client.check({ service: 'sallyport.v1.Guess' }), { code: 5 });
  const { statuses } = await client.list({});
  assert.equal(statuses['sallyport.v1.TokenService']?.status, Serving.SERVING);
  const services = contractElements().filter(({ kind }) => kind === 'service');
  assert.equal(Object.keys(statuses).length, services.length + 1, 'and the server itself');
});

test('a health watch hears of every change', async (t) => {
  const harness = await startRpcHarness(t);
  const client = new Client(harness.grpc, credentials.createInsecure());
  t.after(() => client.close());
  const { watch } = HealthService.method;
  const begin = (service: string) =>
    client.makeServerStreamRequest(
      pathOf(watch),
      encode(HealthCheckRequestSchema),
      decode(HealthCheckResponseSchema),
      create(HealthCheckRequestSchema, { service }),
    );
  const stream = begin('');
  stream.on('error', () => {});
  const heard = stream[Symbol.asyncIterator]();
  const next = async (): Promise<Serving> => (await heard.next()).value?.status ?? Serving.UNKNOWN;
  assert.equal(await next(), Serving.NOT_SERVING);
  harness.health.setAll(true);
  assert.equal(await next(), Serving.SERVING);
  harness.health.set('', false);
  assert.equal(await next(), Serving.NOT_SERVING);
  stream.cancel();

  const unknown = begin('sallyport.v1.Guess');
  unknown.on('error', () => {});
  assert.equal((await unknown[Symbol.asyncIterator]().next()).value?.status, Serving.SERVICE_UNKNOWN);
  unknown.cancel();
});

for (const reflection of [ReflectionV1, ReflectionV1Alpha]) {
  const { serverReflectionInfo } = reflection.method;
  const { input, output } = serverReflectionInfo;

  async function ask(
    address: string,
    questions: readonly MessageInitShape<typeof input>['messageRequest'][],
  ): Promise<readonly MessageShape<typeof output>[]> {
    const client = new Client(address, credentials.createInsecure());
    const stream = client.makeBidiStreamRequest(pathOf(serverReflectionInfo), encode(input), decode(output));
    for (const messageRequest of questions)
      stream.write(create(input, { messageRequest } as MessageInitShape<typeof input>));
    stream.end();
    const answers: MessageShape<typeof output>[] = [];
    for await (const answer of stream) answers.push(answer as MessageShape<typeof output>);
    client.close();
    return answers;
  }

  function filesIn(answer: MessageShape<typeof output> | undefined): readonly FileDescriptorProto[] {
    assert.equal(answer?.messageResponse.case, 'fileDescriptorResponse');
    return answer.messageResponse.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
  }

  test(`${reflection.typeName} lists the services`, async (t) => {
    const harness = await startRpcHarness(t);
    const [answer] = await ask(harness.grpc, [{ case: 'listServices', value: '' }]);
    assert.equal(answer?.messageResponse.case, 'listServicesResponse');
    const names = answer.messageResponse.value.service.map(({ name }) => name);
    for (const name of [
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'sallyport.v1.ApiKeyService',
      'sallyport.v1.AuthenticationService',
      'sallyport.v1.AuthorizationService',
      'sallyport.v1.PolicyService',
      'sallyport.v1.SessionService',
      'sallyport.v1.TokenService',
      'sallyport.v1.UserService',
    ]) {
      assert.ok(names.includes(name), name);
    }
  });

  test(`${reflection.typeName} gives a file with its imports and its comments`, async (t) => {
    const harness = await startRpcHarness(t);
    const symbols = [
      'sallyport.v1.AuthorizationService',
      'sallyport.v1.AuthorizationService.Authorize',
      'sallyport.v1.AuthorizeRequest',
      'sallyport.v1.AuthorizeRequest.permission',
    ];
    const answers = await ask(
      harness.grpc,
      symbols.map((value) => ({ case: 'fileContainingSymbol' as const, value })),
    );
    for (const answer of answers) {
      const files = filesIn(answer);
      assert.equal(files[0]?.name, 'sallyport/v1/authorization.proto');
      const known = new Set(files.map(({ name }) => name));
      for (const file of files) for (const dependency of file.dependency) assert.ok(known.has(dependency), dependency);
      const comments = files[0]?.sourceCodeInfo?.location.map((location) => location.leadingComments).join('\n');
      assert.match(comments ?? '', /Decides one question from memory/);
    }
    const [, byName] = await ask(harness.grpc, [
      { case: 'fileContainingSymbol', value: 'sallyport.v1.EFFECT_ALLOW' },
      { case: 'fileByFilename', value: 'sallyport/v1/decision.proto' },
    ]);
    assert.equal(filesIn(byName)[0]?.name, 'sallyport/v1/decision.proto');
  });

  test(`${reflection.typeName} finds extensions, and says what it does not know`, async (t) => {
    const harness = await startRpcHarness(t);
    const options = 'google.protobuf.MethodOptions';
    const [file, numbers, symbol, unknownFile, extension, type] = await ask(harness.grpc, [
      { case: 'fileContainingExtension', value: { containingType: options, extensionNumber: 50051 } as never },
      { case: 'allExtensionNumbersOfType', value: options },
      { case: 'fileContainingSymbol', value: 'sallyport.v1.Guess' },
      { case: 'fileByFilename', value: 'guess.proto' },
      { case: 'fileContainingExtension', value: { containingType: options, extensionNumber: 1 } as never },
      { case: 'allExtensionNumbersOfType', value: 'sallyport.v1.Guess' },
    ]);
    assert.equal(filesIn(file)[0]?.name, 'sallyport/v1/method_access.proto');
    assert.equal(numbers?.messageResponse.case, 'allExtensionNumbersResponse');
    assert.deepEqual(numbers.messageResponse.value.extensionNumber, [50051]);
    for (const answer of [symbol, unknownFile, extension, type]) {
      assert.equal(answer?.messageResponse.case, 'errorResponse');
      assert.equal(answer.messageResponse.value.errorCode, 5);
    }
  });
}
