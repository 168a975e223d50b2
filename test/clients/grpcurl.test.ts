import assert from 'node:assert/strict';
import { delimiter, dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { pastedCommand } from '../support/pasted-command.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { expectedAnswers, prepareSixCalls } from '../support/six-calls.ts';
import { grpcurl, grpcurlBinary, grpcurlCall } from './grpcurl.ts';
import { sixCallsByJson } from './six-calls-by-json.ts';
import { needs, run } from './tool.ts';

// A person at a terminal: grpcurl with nothing but the server's reflection.

let service: ServiceProcess;
before(async () => {
  service = await startService();
});
after(() => service.stop());

test('grpcurl makes all six calls by reflection', async (context) => {
  if (!(await needs(context, 'go', ['version']))) return;
  // First: to build it may take longer than the one-time code is good for.
  await grpcurlBinary();
  const answers = await sixCallsByJson(grpcurlCall(service), await prepareSixCalls(service, 'grpcurl'));
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

test('the grpcurl command of the start screen ends in an ALLOW', async (context) => {
  if (!(await needs(context, 'go', ['version']))) return;
  const path = [dirname(await grpcurlBinary()), process.env['PATH']].join(delimiter);
  const { stdout } = await run('bash', ['-c', pastedCommand(service.output(), 'grpcurl')], { env: { PATH: path } });
  assert.match(stdout, /"effect": "EFFECT_ALLOW"/);
});
