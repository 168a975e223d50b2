import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiKeyService } from '../../gen/sallyport/v1/api_key_pb.ts';
import { AuthenticationService } from '../../gen/sallyport/v1/authentication_pb.ts';
import { SessionService } from '../../gen/sallyport/v1/session_pb.ts';
import { TokenService } from '../../gen/sallyport/v1/token_pb.ts';
import { UserService } from '../../gen/sallyport/v1/user_pb.ts';
import type { UseCases } from '../../src/rpc/sallyport-services.ts';
import { type BadRequestCase, badRequests } from '../cases/bad-requests.ts';
import { limitCases } from '../cases/request-limits.ts';
import { startRpcHarness, TEST_KEY } from '../support/rpc-harness.ts';

// Every request of the tables goes through the real HTTP port: what a caller sees is what is tested.

/** Stands for every use case: reaching it means that the request was accepted. */
const REACHED = 'the use case was reached';
const reachable = new Proxy(
  {},
  {
    get: () => () => {
      throw Object.assign(new Error(REACHED), { code: REACHED });
    },
  },
);
const useCases = { identity: reachable, sessions: reachable, keys: reachable, decisions: reachable } as UseCases;

interface Answer {
  readonly code?: string;
  readonly details?: readonly {
    readonly type: string;
    readonly debug: { readonly fieldViolations?: readonly { readonly field: string }[] };
  }[];
}

async function call(base: string, method: string, request: object): Promise<Answer> {
  const response = await fetch(`${base}/sallyport.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TEST_KEY}` },
    body: JSON.stringify(request),
  });
  return (await response.json()) as Answer;
}

function fieldsOf(answer: Answer): readonly string[] {
  const detail = answer.details?.find(({ type }) => type === 'google.rpc.BadRequest');
  return detail?.debug.fieldViolations?.map(({ field }) => field) ?? [];
}

test('every bad request names its fields', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  for (const { method, request, fields } of badRequests) {
    const answer = await call(http, method, request);
    assert.equal(answer.code, 'invalid_argument', `${method} ${JSON.stringify(request)}`);
    assert.deepEqual(fieldsOf(answer), fields, `${method} ${JSON.stringify(request)}`);
  }
});

test('every request that takes a client names its address when that is none', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const methods = [AuthenticationService, UserService, SessionService, TokenService, ApiKeyService].flatMap((service) =>
    service.methods.filter(({ input }) => input.fields.some(({ name }) => name === 'client')),
  );
  assert.ok(methods.length >= 17, `${methods.length} methods`);
  for (const { parent, name } of methods) {
    const method = `${parent.name}/${name}`;
    const answer = await call(http, method, { client: { ip: '192.0.2.7:443' } });
    assert.ok(fieldsOf(answer).includes('client.ip'), `${method} ${JSON.stringify(answer)}`);
  }
});

test('every limit is accepted at it and refused past it', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  for (const { name, method, at, past, field } of limitCases) {
    assert.equal((await call(http, method, at)).code, 'internal', `${name}: at the limit`);
    const refused = await call(http, method, past);
    assert.equal(refused.code, 'invalid_argument', `${name}: past the limit`);
    assert.deepEqual(fieldsOf(refused), [field], name);
  }
});

test('every request with a malformed tenant names the field', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const methods = new Set(badRequests.map(({ method }: BadRequestCase) => method));
  for (const method of methods) {
    const answer = await call(http, method, { tenant: 'No Tenant' });
    assert.ok(fieldsOf(answer).includes('tenant'), method);
  }
});
