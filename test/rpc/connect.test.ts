import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { create, fromBinary, type JsonObject, toBinary } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-node';
import {
  AuthorizationService,
  AuthorizeRequestSchema,
  AuthorizeResponseSchema,
} from '../../gen/sallyport/v1/authorization_pb.ts';
import { GetJwksResponseSchema } from '../../gen/sallyport/v1/token_pb.ts';
import { limits } from '../../src/domain/limits.ts';
import { startRpcHarness, TEST_KEY } from '../support/rpc-harness.ts';
import { streamingService } from '../support/streaming-service.ts';

const granted = { decision: { effect: 'allow', reason: 'GRANTED' }, revision: 'r1' } as const;
const useCases = { decisions: { authorize: () => granted } };
const question = { principal: { subject: { type: 'user', id: '7' } }, permission: 'documents:read' };
const path = '/sallyport.v1.AuthorizationService/Authorize';

function post(
  base: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TEST_KEY}`, ...headers },
    body,
  });
}

interface ConnectFailure {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly { readonly type: string; readonly debug: Readonly<Record<string, unknown>> }[];
}

async function failure(response: Response): Promise<ConnectFailure> {
  return (await response.json()) as ConnectFailure;
}

test('Connect JSON is served with one POST', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const response = await post(http, JSON.stringify(question));
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), {
    decision: { effect: 'EFFECT_ALLOW', reason: 'DECISION_REASON_GRANTED' },
    revision: 'r1',
  });
});

test('Connect binary and gRPC-Web get the same answer', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const message = create(AuthorizeRequestSchema, {
    principal: { identity: { case: 'subject', value: { type: 'user', id: '7' } } },
    permission: 'documents:read',
  });
  const bytes = new Uint8Array(toBinary(AuthorizeRequestSchema, message));
  const response = await post(http, bytes, { 'content-type': 'application/proto' });
  const body = fromBinary(AuthorizeResponseSchema, new Uint8Array(await response.arrayBuffer()));
  assert.equal(body.revision, 'r1');

  const transport = createGrpcWebTransport({ baseUrl: http, httpVersion: '1.1' });
  const web = createClient(AuthorizationService, transport);
  const headers = { authorization: `Bearer ${TEST_KEY}` };
  assert.equal((await web.authorize(message, { headers })).revision, 'r1');
  await assert.rejects(web.authorize(message), { rawMessage: /admin\.key/, code: 16 });
});

test('errors carry the same details as over gRPC', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const response = await post(http, JSON.stringify({ permission: 'two words' }));
  assert.equal(response.status, 400);
  const { code, details = [] } = await failure(response);
  assert.equal(code, 'invalid_argument');
  const [info, request, ...more] = details;
  assert.equal(more.length, 0);
  assert.equal(info?.type, 'google.rpc.ErrorInfo');
  assert.deepEqual(info.debug, { reason: 'INVALID_ARGUMENT', domain: 'sallyport', metadata: { violations: '2' } });
  assert.equal(request?.type, 'google.rpc.BadRequest');
});

test('a misspelt member is refused by name, and so is what is no JSON', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const misspelt = await failure(await post(http, JSON.stringify({ ...question, permision: 'a:b' })));
  assert.equal(misspelt.code, 'invalid_argument');
  assert.match(misspelt.message, /AuthorizeRequest.*permision/);
  const broken = await failure(await post(http, '{"permission":'));
  assert.equal(broken.code, 'invalid_argument');
});

test('without a credential the body is not even read', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    // Announces a body and never sends it.
    const headers = { 'content-type': 'application/json', 'content-length': '1000' };
    const request = httpRequest(`${http}${path}`, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
        request.destroy();
      });
    });
    request.on('error', reject);
    request.flushHeaders();
  });
  assert.equal(status, 401);
  assert.match(text, /admin\.key/);
});

test('a body beyond what its method reads is refused, compressed or not', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const large = JSON.stringify({ ...question, atLeastRevision: 'x'.repeat(limits.messageBytes) });
  assert.equal((await failure(await post(http, large))).code, 'resource_exhausted');
  const compressed = await post(http, new Uint8Array(gzipSync(large)), { 'content-encoding': 'gzip' });
  assert.equal((await failure(compressed)).code, 'resource_exhausted');
});

test('the timeout of the caller is its deadline', async (t) => {
  const { http } = await startRpcHarness(t, { useCases: { decisions: { authorize: () => new Promise(() => {}) } } });
  const response = await post(http, JSON.stringify(question), { 'connect-timeout-ms': '30' });
  const { code, details } = await failure(response);
  assert.equal(code, 'deadline_exceeded');
  assert.deepEqual(details?.[0]?.debug, { reason: 'DEADLINE_EXCEEDED', domain: 'sallyport' });
});

test('a caller that goes away cancels its call', async (t) => {
  const cancelled = Promise.withResolvers<unknown>();
  const { http } = await startRpcHarness(t, {
    useCases: {
      decisions: {
        authorize: (call) => {
          call.signal?.addEventListener('abort', () => cancelled.resolve(call.signal?.reason));
          abort.abort();
          return new Promise(() => {});
        },
      },
    },
  });
  const abort = new AbortController();
  await assert.rejects(
    fetch(`${http}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TEST_KEY}` },
      body: JSON.stringify(question),
      signal: abort.signal,
    }),
  );
  assert.equal(((await cancelled.promise) as { code: string }).code, 'CANCELLED');
});

test('a GET does not decide, and an unknown method is not found', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const refused = await fetch(`${http}${path}`);
  assert.equal(refused.status, 405);
  assert.equal(refused.headers.get('allow'), 'POST');
  assert.match((await failure(refused)).message, /send a POST/);
  const unknown = await fetch(`${http}/sallyport.v1.AuthorizationService/Guess`, { method: 'POST' });
  assert.equal(unknown.status, 404);
});

test('a body of another content-type is told which one to send', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const form = await post(http, 'permission=x', { 'content-type': 'application/x-www-form-urlencoded' });
  assert.equal(form.status, 415);
  assert.match((await failure(form)).message, /"content-type: application\/json"/);
  const stream = await post(http, JSON.stringify(question), { 'content-type': 'application/connect+json' });
  assert.equal(stream.status, 415);
  assert.notEqual(await stream.text(), '');
  const charset = await post(http, JSON.stringify(question), { 'content-type': 'application/json; charset=utf-8' });
  assert.equal(charset.status, 200);
});

test('a value of the wrong type is told what it must be', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const wrong = async (more: object): Promise<string> =>
    (await failure(await post(http, JSON.stringify({ ...question, ...more })))).message;
  assert.match(await wrong({ permission: 7 }), /: the value of \S+\.permission must be a string$/);
  assert.match(await wrong({ explain: 'yes' }), /\.explain must be true or false$/);
  assert.match(await wrong({ resource: [] }), /: a sallyport\.v1\.Resource must be a JSON object$/);
  assert.match(
    await wrong({ contextualGrants: [{ effect: 'ALLOW' }] }),
    /: `effect` must be one of EFFECT_ALLOW, EFFECT_DENY$/,
  );
});

test('every answer names its request: the id that was sent, else a fresh one', async (t) => {
  const { http } = await startRpcHarness(t, { useCases });
  const sent = await post(http, JSON.stringify(question), { 'x-request-id': 'request-0001' });
  assert.equal(sent.headers.get('x-request-id'), 'request-0001');
  for (const [body, headers] of [
    [JSON.stringify(question), {}],
    [JSON.stringify(question), { authorization: 'Bearer wrong' }],
    ['{"permission": 7}', {}],
    ['{', {}],
  ] as const) {
    assert.match((await post(http, body, headers)).headers.get('x-request-id') ?? '', /^[\w-]{8,128}$/, body);
  }
});

/** A Struct in a Struct in a Struct: more than any decoder follows. */
function deep(levels: number): Uint8Array<ArrayBuffer> {
  const context: JsonObject = {};
  let inner = context;
  for (let level = 0; level < levels; level += 1) {
    const next: JsonObject = {};
    inner['a'] = next;
    inner = next;
  }
  return new Uint8Array(toBinary(AuthorizeRequestSchema, create(AuthorizeRequestSchema, { context })));
}

/** A Connect or gRPC-Web envelope. */
function envelope(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array([0, 0, 0, bytes.length >> 8, bytes.length & 0xff, ...bytes]);
}

const bytesOfNothing = new Uint8Array([0xff, 0xff]);

test('bytes that are no message are INVALID_ARGUMENT in our words, and counted and logged once', async (t) => {
  const { http, metricsText, logged } = await startRpcHarness(t, { useCases });
  const bodies: readonly (readonly [string | Uint8Array<ArrayBuffer>, string])[] = [
    [bytesOfNothing, 'application/proto'],
    [deep(101), 'application/proto'],
    ['{', 'application/json'],
  ];
  for (const [body, type] of bodies) {
    const response = await post(http, body, { 'content-type': type });
    assert.equal(response.status, 400);
    const { code, message, details = [] } = await failure(response);
    assert.equal(code, 'invalid_argument');
    assert.match(
      message,
      /^the request body is not a valid sallyport\.v1\.AuthorizeRequest message(: it is not JSON)?$/,
    );
    assert.equal(details.length, 1);
    assert.deepEqual(details[0]?.debug, { reason: 'INVALID_ARGUMENT', domain: 'sallyport' });
  }
  const web = await post(http, envelope(bytesOfNothing), { 'content-type': 'application/grpc-web+proto' });
  const trailer = Buffer.from(await web.arrayBuffer()).toString('latin1');
  assert.match(trailer, /grpc-status: 3\b/);
  assert.match(trailer, /grpc-status-details-bin: /);
  assert.match(await metricsText(), /method="AuthorizationService\/Authorize",code="INVALID_ARGUMENT"\} 4\n/);
  assert.equal(logged().filter((line) => line['status'] === 'INVALID_ARGUMENT').length, 4);
});

test('a message that is too long, or packed in an unknown way, is counted too', async (t) => {
  const { http, metricsText } = await startRpcHarness(t, { useCases });
  await post(http, JSON.stringify({ ...question, atLeastRevision: 'x'.repeat(limits.messageBytes) }));
  const packed = await failure(await post(http, '{}', { 'content-encoding': 'zstd' }));
  assert.equal(packed.code, 'unimplemented');
  assert.match(packed.message, /gzip or br, or not at all$/);
  assert.equal((await post(http, JSON.stringify(question))).status, 200);
  const text = await metricsText();
  for (const code of ['RESOURCE_EXHAUSTED', 'INVALID_ARGUMENT', 'OK']) {
    assert.ok(
      text.includes(`rpc_duration_seconds_count{method="AuthorizationService/Authorize",code="${code}"} 1\n`),
      code,
    );
  }
});

test('a caller that goes away before its body is there has cancelled its call, once', {
  timeout: 60_000,
}, async (t) => {
  const { http, logged } = await startRpcHarness(t, { useCases });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TEST_KEY}`, 'content-length': '1000' };
  const request = httpRequest(`${http}${path}`, { method: 'POST', headers: { ...headers, expect: '100-continue' } });
  request.on('error', () => {});
  request.flushHeaders();
  await once(request, 'continue');
  request.write('{');
  await setImmediate();
  request.destroy();
  const ended = (): number => logged().filter((line) => line['status'] === 'CANCELLED').length;
  while (ended() === 0 && !t.signal.aborted) await setImmediate();
  assert.equal(ended(), 1);
});

test('a stream whose messages are none ends the same way', async (t) => {
  const services = [
    streamingService({
      send: async (_call, requests) => {
        for await (const _ of requests);
        return create(GetJwksResponseSchema);
      },
    }),
  ];
  const { http, metricsText } = await startRpcHarness(t, { services });
  for (const name of ['Send', 'Watch']) {
    const response = await fetch(`${http}/test.StreamService/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/connect+proto', authorization: `Bearer ${TEST_KEY}` },
      body: envelope(bytesOfNothing),
    });
    const end = JSON.parse(Buffer.from(await response.arrayBuffer()).toString('utf8', 5)) as { error: ConnectFailure };
    assert.equal(end.error.code, 'invalid_argument', name);
    assert.match(end.error.message, /^the request body is not a valid sallyport\.v1\.GetJwksRequest message$/);
    assert.equal(end.error.details?.length, 1);
    const series = `rpc_duration_seconds_count{method="StreamService/${name}",code="INVALID_ARGUMENT"} 1\n`;
    assert.ok((await metricsText()).includes(series), name);
  }
});
