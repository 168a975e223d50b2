import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { expectedAnswers, prepareSixCalls } from '../support/six-calls.ts';
import { type JsonAnswer, sixCallsByJson } from './six-calls-by-json.ts';
import { goTool, needs, run } from './tool.ts';

// A person at a terminal: grpcurl with nothing but the server's reflection.

let service: ServiceProcess;
before(async () => {
  service = await startService();
});
after(() => service.stop());

async function grpcurl(args: readonly string[]): Promise<string> {
  const binary = await goTool('github.com/fullstorydev/grpcurl/cmd/grpcurl', 'v1.9.3');
  return (await run(binary, ['-plaintext', ...args])).stdout;
}

async function call(method: string, request: unknown): Promise<JsonAnswer> {
  const header = `authorization: Bearer ${service.adminKey}`;
  const text = await grpcurl(['-H', header, '-d', JSON.stringify(request), service.grpc, `sallyport.v1.${method}`]);
  return JSON.parse(text) as JsonAnswer;
}

test('grpcurl makes all six calls by reflection', async (context) => {
  if (!(await needs(context, 'go', ['version']))) return;
  const answers = await sixCallsByJson(call, await prepareSixCalls(service, 'grpcurl'));
  assert.deepEqual(answers, expectedAnswers);
});

test('every service is listed, and every method and field is described with its comment', async (context) => {
  if (!(await needs(context, 'go', ['version']))) return;
  const services = (await grpcurl([service.grpc, 'list'])).trim().split('\n');
  for (const name of ['Authentication', 'Authorization', 'Token', 'ApiKey', 'User', 'Policy', 'Session']) {
    assert.ok(services.includes(`sallyport.v1.${name}Service`), `${name}Service is not listed`);
  }
  for (const name of services.filter((each) => each.startsWith('sallyport.'))) {
    const description = await grpcurl([service.grpc, 'describe', name]);
    const methods = description.match(/^ {2}rpc /gm)?.length ?? 0;
    const commented = description.match(/^ {2}\/\/ .*\n(?: {2}\/\/.*\n)* {2}rpc /gm)?.length ?? 0;
    assert.ok(methods > 0 && methods === commented, `${name}: ${commented} of ${methods} methods have a comment`);
  }
  const message = await grpcurl([service.grpc, 'describe', 'sallyport.v1.AuthorizeRequest']);
  assert.match(message, /\/\/ .*\n {2}\.sallyport\.v1\.Principal principal = 2;/);
});
