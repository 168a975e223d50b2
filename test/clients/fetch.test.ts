import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { expectedAnswers, prepareSixCalls } from '../support/six-calls.ts';
import { type JsonAnswer, sixCallsByJson } from './six-calls-by-json.ts';

// A program with nothing but an HTTP client: Connect's JSON over POST.

let service: ServiceProcess;
before(async () => {
  service = await startService();
});
after(() => service.stop());

async function call(method: string, request: unknown): Promise<JsonAnswer> {
  const response = await fetch(`http://${service.http}/sallyport.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${service.adminKey}` },
    body: JSON.stringify(request),
  });
  const answer: unknown = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer as JsonAnswer;
}

test('fetch makes all six calls over Connect JSON', async () => {
  const answers = await sixCallsByJson(call, await prepareSixCalls(service, 'fetch'));
  assert.deepEqual(answers, expectedAnswers);
});
